// Versions and aliases of a function: published, looked at, compared, deleted; made, moved, and shared out.

import assert from "node:assert/strict";
import { active, openTab, shown, test } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/numbered"));
  await active(page);
  await qualified(stage);
}

export async function qualify(page, option) {
  await page.getByRole("button", { name: "Qualifier" }).click();
  await page.getByRole("option", { name: option }).click();
}

/** A version is shown and tested, and cannot be changed. */
async function qualified(stage) {
  const { page } = stage;
  await qualify(page, "1");
  await page.getByRole("heading", { name: "numbered:1" }).waitFor();
  assert.match(page.url(), /\/functions\/numbered:1\/code$/);
  await page.getByRole("textbox", { name: "Text of lambda_function.py" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "New file" }).count(), 0);
  await page.getByText("return 1").waitFor();
  await stage.accessible("the code of a version");
  await openTab(page, "Configuration");
  const edit = page.getByRole("button", { name: "Edit General configuration" });
  await edit.waitFor();
  assert.equal(await edit.getAttribute("aria-disabled"), "true");
  await openTab(page, "Test");
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  assert.equal(await shown(page, "Payload"), "1");
  await page.reload();
  await page.getByRole("heading", { name: "numbered:1" }).waitFor();
  await qualify(page, "$LATEST");
  await page.getByRole("heading", { name: "numbered", exact: true }).waitFor();
}
