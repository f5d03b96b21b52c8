// With authentication: an access key is asked for, and what it may not do is shown as denied.

import assert from "node:assert/strict";
import { confirmDeletion, signIn } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  stage.expect(/status of 40[03]/);
  await page.goto(stage.address("us-east-1/functions"));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await stage.accessible("signing in");
  await signIn(page, given.key, "wrong".repeat(8));
  await page.getByText("SignatureDoesNotMatch").waitFor();
  await signIn(page, given.key, given.secret);
  await page.getByRole("link", { name: "seen" }).waitFor();
  await page.getByRole("button", { name: `Account ${given.account}` }).waitFor();
  await page.getByText("Tags cannot be read").waitFor();
  await stage.accessible("a list with limited rights");
  await page.getByRole("checkbox", { name: "Select seen" }).check();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await confirmDeletion(dialog);
  await dialog.getByText(/is not authorized to perform: lambda:DeleteFunction/).waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("link", { name: "seen" }).click();
  await page.getByText("You are not allowed to do this").first().waitFor();
  // Kept as asked for, until somebody signs out.
  await page.reload();
  await page.getByRole("button", { name: `Account ${given.account}` }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  // Not kept, where nobody asked for it.
  await signIn(page, given.key, given.secret, { keep: false });
  await page.getByRole("button", { name: `Account ${given.account}` }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}
