// Who may do what, as the root manages it: users with access keys, groups, policies.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { create, part } from "../account.mjs";
import { confirm, edit, replaceText, save, signIn } from "../steps.mjs";

const DOCUMENT = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "lambda:ListFunctions", Resource: "*" }] });

export default async function (stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/account"));
  await signIn(page, given.key, given.secret, { keep: false });
  await page.getByText("at most 1000").waitFor();
  await page.getByText(/ of 75\.0 GB/).waitFor();
  await stage.accessible("the overview");
  await groups(stage);
  await user(stage);
  await accessKey(stage);
  await policies(stage);
}

async function groups({ page }) {
  await part(page, "User groups");
  await page.getByText("There is no group in this account.").waitFor();
  await create(page, "group", "Group name", "developers");
  await page.getByText("Nobody is in this group.").waitFor();
  await addPermissions(page, "Attach policies");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /Policies/ }).click();
  await page.getByRole("option", { name: /AWSLambda_ReadOnlyAccess/ }).click();
  await page.keyboard.press("Escape");
  await dialog.getByRole("button", { name: "Attach", exact: true }).click();
  await page.getByRole("button", { name: /AWSLambda_ReadOnlyAccess/ }).waitFor();
}

async function addPermissions(page, item) {
  await page.getByRole("button", { name: "Add permissions" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

async function user(stage) {
  const { page } = stage;
  await part(page, "Users");
  await page.getByRole("button", { name: "Create user" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill("no such name");
  await dialog.getByRole("button", { name: "Create user" }).click();
  stage.expect(/status of 400/);
  await dialog.getByText("ValidationError").waitFor();
  await stage.accessible("a user whose name is refused");
  await dialog.getByLabel("User name").fill("ada");
  await dialog.getByRole("button", { name: "Create user" }).click();
  await page.getByText("This user has no access key.").waitFor();
  assert.match(page.url(), /\/account\/users\/ada$/);
  await addPermissions(page, "Create inline policy");
  await dialog.getByLabel("Policy name").fill("lists");
  await replaceText(page, "Policy document", "{");
  await dialog.getByText("The policy is not JSON").waitFor();
  await replaceText(page, "Policy document", DOCUMENT);
  await dialog.getByRole("button", { name: "Create policy" }).click();
  await page.getByRole("button", { name: /^lists/ }).click();
  await page.getByRole("region", { name: "Document of lists" }).getByText("lambda:ListFunctions").waitFor();
  await page.getByRole("button", { name: "Add to group" }).click();
  await dialog.getByRole("button", { name: /^Group/ }).click();
  await page.getByRole("option", { name: "developers" }).click();
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Remove from developers" }).waitFor();
}

/** The secret is handed out once, and works; then the key is switched off and deleted. */
async function accessKey(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "Create access key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("The secret is shown now and never again.").waitFor();
  await stage.accessible("a new access key");
  const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Download .csv" }).click()]);
  assert.equal(download.suggestedFilename(), "ada_accessKeys.csv");
  const [id, secret] = readFileSync(await download.path(), "utf8").split(/\r\n/)[1].split(",");
  assert.ok(!(await dialog.innerText()).includes(secret));
  await dialog.getByRole("button", { name: "Show" }).click();
  await dialog.getByText(secret).waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  assert.equal(await stage.ask({ whose: [id, secret] }), "arn:aws:iam::000000000000:user/ada");
  await stage.accessible("a user");
  await page.setViewportSize({ width: 420, height: 800 });
  await stage.accessible("a user in a narrow window");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 420);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByRole("button", { name: "Open the parts" }).first().click();
  await page.getByRole("button", { name: `Deactivate ${id}` }).click();
  await page.getByRole("button", { name: `Activate ${id}`, exact: true }).waitFor();
  assert.match(await stage.ask({ whose: [id, secret] }), /InvalidClientTokenId/);
  await page.getByRole("button", { name: `Delete ${id}` }).click();
  await confirm(page, "Delete");
  await page.getByText("This user has no access key.").waitFor();
}

async function policies(stage) {
  const { page } = stage;
  await part(page, "Policies");
  await page.getByRole("button", { name: "Create policy" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Policy name").fill("lists-too");
  await replaceText(page, "Policy document", DOCUMENT);
  await dialog.getByRole("button", { name: "Create policy" }).click();
  await page.getByLabel("Search policies").fill("customer");
  await page.getByRole("link", { name: "lists-too" }).click();
  await page.getByText("It is attached to nothing.").waitFor();
  await page.getByRole("region", { name: "Policy document" }).getByText("lambda:ListFunctions").waitFor();
  await stage.accessible("a policy");
  await page.reload();
  await signedOut(stage);
  await page.getByRole("heading", { level: 1, name: "lists-too" }).waitFor();
  for (const version of [2, 3, 4, 5, 6]) {
    await edit(page, "Document");
    await replaceText(page, "Policy document", DOCUMENT.replace("ListFunctions", `GetFunction${version}`));
    await save(page, "Document");
    await page.getByText(`v${version}`, { exact: true }).waitFor();
  }
}

/** Whoever did not ask to be remembered signs in again after a reload, and is where they were. */
async function signedOut({ page, given }) {
  await signIn(page, given.key, given.secret);
}
