// The account as its root sees it: users with keys, groups, policies, roles, keys of KMS, environments.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
  await role(stage);
  await kmsKey(stage);
  await environments(stage);
}

/** Of the navigation. */
async function part(page, name) {
  await page.getByRole("link", { name, exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

async function create(page, what, label, name) {
  await page.getByRole("button", { name: `Create ${what}` }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(label).fill(name);
  await dialog.getByRole("button", { name: `Create ${what}` }).click();
  await dialog.waitFor({ state: "detached" });
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
  await page.getByRole("button", { name: `Activate ${id}` }).waitFor();
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
}

/** Whoever did not ask to be remembered signs in again after a reload, and is where they were. */
async function signedOut({ page, given }) {
  await signIn(page, given.key, given.secret);
}

async function role(stage) {
  const { page } = stage;
  await part(page, "Roles");
  await page.getByRole("link", { name: "role1" }).click();
  await page.getByRole("link", { name: "busy" }).waitFor();
  await page.getByRole("button", { name: /^AWSLambdaBasicExecutionRole/ }).click();
  await page.getByRole("region", { name: "Document of AWSLambdaBasicExecutionRole" }).getByText("logs:PutLogEvents").waitFor();
  await stage.accessible("a role");
  await part(page, "Roles");
  await page.getByRole("button", { name: "Create role" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Role name").fill("visitor");
  await dialog.getByRole("radio", { name: "Users of this account" }).check();
  await stage.accessible("a new role");
  await dialog.getByRole("button", { name: "Create role" }).click();
  await page.getByRole("heading", { level: 1, name: "visitor" }).waitFor();
  await edit(page, "Trust relationships");
  await replaceText(page, "Trust policy", JSON.stringify({
    Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
  }));
  await save(page, "Trust relationships");
  await part(page, "Roles");
  await page.getByRole("row", { name: /visitor/ }).getByText("lambda.amazonaws.com").waitFor();
  await page.getByRole("link", { name: "role2" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).first().click();
  await confirm(page, "Delete");
  await page.getByText("The role role2 is deleted.").waitFor();
}

async function kmsKey(stage) {
  const { page } = stage;
  await part(page, "KMS keys");
  await create(page, "key", "Alias - optional", "variables");
  const row = page.getByRole("row", { name: /variables/ });
  await row.getByText("Enabled").waitFor();
  await stage.accessible("keys");
  await row.getByRole("link").click();
  await page.getByText("alias/variables").waitFor();
  await edit(page, "Rotation");
  await page.getByRole("checkbox", { name: "Rotate by itself" }).check();
  await page.getByLabel("Days between rotations").fill("100");
  await save(page, "Rotation");
  await page.getByText("100 days", { exact: true }).waitFor();
  await create(page, "alias", "Alias", "second");
  await page.getByRole("button", { name: "Delete alias second" }).waitFor();
  await page.getByRole("button", { name: "Disable", exact: true }).click();
  await page.getByText("Disabled", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Schedule deletion" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Days to wait").fill("7");
  await dialog.getByRole("button", { name: "Schedule deletion" }).click();
  await page.getByText("Pending deletion").waitFor();
  await stage.accessible("a key");
  await page.getByRole("button", { name: "Cancel deletion" }).click();
  await page.getByRole("button", { name: "Enable", exact: true }).waitFor();
}

/** They come and go while somebody looks. */
async function environments(stage) {
  const { page } = stage;
  await part(page, "Environments");
  await page.getByText("Nothing runs now, and nothing waits for an invocation.").waitFor();
  await page.getByRole("button", { name: /How often to look/ }).click();
  await page.getByRole("option", { name: "Every 2 seconds" }).click();
  await stage.ask("invoke");
  const row = page.getByRole("row", { name: /busy/ });
  await row.getByText("$LATEST").waitFor();
  await row.getByText(/of 128 MB/).waitFor();
  await stage.accessible("environments");
  await row.getByRole("link", { name: "busy" }).click();
  await page.getByRole("heading", { level: 1, name: "busy" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Environments" }).waitFor();
  await page.goForward();
  await page.getByRole("tab", { name: "Monitor" }).click();
  await page.getByRole("tab", { name: "Environments" }).click();
  await page.getByRole("row", { name: /\$LATEST/ }).getByText(/of 128 MB/).waitFor();
}
