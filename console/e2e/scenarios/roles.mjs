// What functions use: roles, keys of KMS, environments.

import { create, part } from "../account.mjs";
import { confirm, edit, replaceText, save, signIn } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/account"));
  await signIn(page, given.key, given.secret);
  await role(stage);
  await kmsKey(stage);
  await environments(stage);
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
