// Who may use a function, and what it may do: its role, policies, URLs, and the signatures that its code needs. With
// `given.key`: for somebody who may do little.

import assert from "node:assert/strict";
import { active, choose, confirm, edit, replaceText, save, shown, signIn } from "../steps.mjs";

const SECTION = "us-east-1/functions/guarded/configuration/";

export default async function (stage) {
  // A function without a policy answers with 404.
  stage.expect(/status of 404/);
  const { page, given } = stage;
  await page.goto(stage.address(`${SECTION}permissions`));
  if (given.key) return denied(stage);
  await active(page);
  await role(stage);
  await statements(stage);
  await document(stage);
  await urls(stage);
  await signing(stage);
  await narrow(stage);
}

async function role({ page }) {
  await page.getByRole("button", { name: "AWSLambdaBasicExecutionRole" }).click();
  assert.match(await shown(page, "Document of AWSLambdaBasicExecutionRole"), /logs:PutLogEvents/);
  await page.getByRole("button", { name: "buckets" }).click();
  assert.match(await shown(page, "Document of buckets"), /s3:GetObject/);
  await edit(page, "Execution role");
  const role = page.getByRole("combobox", { name: "Existing role" });
  await role.fill("nothing");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("A role is named by its ARN").waitFor();
  await role.fill("second");
  await page.getByRole("option", { name: /second/ }).last().click();
  await save(page, "Execution role");
  await page.getByText("The role has no policies").waitFor();
  await active(page);
  await edit(page, "Execution role");
  await page.getByRole("radio", { name: "Create a role for me" }).check();
  await save(page, "Execution role");
  await page.getByText(/role\/service-role\/guarded-role-/).waitFor();
  await active(page);
}

async function statements(stage) {
  const { page } = stage;
  await page.getByText("The function itself has no policy").waitFor();
  await add(page);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("A statement needs an id.").waitFor();
  await stage.accessible("adding a statement, with a mistake");
  await page.getByLabel("Source ARN").fill("arn:aws:s3:::photos");
  await page.getByLabel("Source account").fill("000000000000");
  await added(page, "bucket");
  await page.getByText("ArnLike AWS:SourceArn: arn:aws:s3:::photos").waitFor();
  await add(page);
  await page.getByRole("radio", { name: "AWS account" }).check();
  await page.getByLabel("Principal", { exact: true }).fill("111111111111");
  await added(page, "other-account");
  await add(page);
  await page.getByRole("radio", { name: "AWS account" }).check();
  await page.getByLabel("Principal", { exact: true }).fill("111111111111");
  await page.getByLabel("Statement ID").fill("bucket");
  // The API's own words, beside what was typed.
  stage.expect(/status of 409/);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("The statement id (bucket) provided already exists.").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Remove statement other-account" }).click();
  await confirm(page, "Remove");
  await page.getByText("The statement other-account is removed.").waitFor();
  await page.getByRole("cell", { name: "111111111111" }).waitFor({ state: "detached" });
  await stage.accessible("permissions");
}

async function add(page) {
  await page.getByRole("button", { name: "Add permissions" }).click();
}

async function added(page, id) {
  await page.getByLabel("Statement ID").fill(id);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("rowheader", { name: id, exact: true }).waitFor();
}

/** Of an alias, which is opened by its address. */
async function document({ page }) {
  await choose(page, /Policy of/, "Alias live");
  await page.waitForURL(/functions\/guarded:live\/configuration\/permissions/);
  await page.getByText("Alias live has no policy").waitFor();
  await page.getByRole("button", { name: "Edit as JSON" }).click();
  const arn = "arn:aws:lambda:us-east-1:000000000000:function:guarded:live";
  const statement = { Sid: "never", Effect: "Deny", Principal: "*", Action: "lambda:GetFunction", Resource: arn };
  await replaceText(page, "Policy document", "{");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The policy is not JSON").waitFor();
  await replaceText(page, "Policy document", JSON.stringify({ Version: "2012-10-17", Statement: [statement] }));
  await save(page, "Resource-based policy");
  await page.getByRole("rowheader", { name: "never" }).waitFor();
  await page.getByRole("cell", { name: "Deny lambda:GetFunction" }).waitFor();
  await page.getByRole("cell", { name: "Everybody" }).waitFor();
}

async function urls(stage) {
  const { page } = stage;
  await page.goto(stage.address(`${SECTION}url`));
  await page.getByRole("button", { name: "Create function URL" }).click();
  await page.getByRole("radio", { name: "NONE" }).check();
  await page.getByText("the two statements that allow it are added").waitFor();
  await page.getByLabel("Configure cross-origin resource sharing (CORS)").check();
  await page.getByLabel("Max age (seconds)").fill("100000");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("A whole number from 0 to 86400.").waitFor();
  await stage.accessible("a function URL, with a mistake");
  await page.getByLabel("Max age (seconds)").fill("60");
  await page.getByLabel("Allow origin").fill("https://a.test\nhttps://b.test");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("Everybody may call it").waitFor();
  const link = page.getByRole("link", { name: /lambda-url/ });
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.match(await stage.ask({ call: await link.getAttribute("href") }), /called/);
  await stage.ask("close the policy");
  await page.reload();
  await page.getByRole("button", { name: "Allow everybody" }).click();
  await page.getByText("Everybody may call it").waitFor();
  await edit(page, "Function URL");
  await page.getByRole("radio", { name: "RESPONSE_STREAM" }).check();
  await page.getByLabel("Configure cross-origin resource sharing (CORS)").uncheck();
  await save(page, "Function URL");
  await page.getByText("RESPONSE_STREAM", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Create function URL" }).click();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "Function URL of alias live" }).waitFor();
  await stage.accessible("function URLs");
  await page.getByRole("button", { name: "Delete Function URL of alias live" }).click();
  await confirm(page, "Delete");
  await page.getByText("The function URL is deleted.").waitFor();
}

async function signing(stage) {
  const { page } = stage;
  await page.goto(stage.address(`${SECTION}code-signing`));
  await page.getByText("any code may be deployed").waitFor();
  await edit(page, "Code signing configuration");
  await page.getByRole("button", { name: /^Configuration/ }).click();
  await page.getByRole("option", { name: /what the team signs/ }).click();
  await page.getByText("Enforce: what is not signed by them is refused").waitFor();
  await save(page, "Code signing configuration");
  await page.getByText(/signing-profiles\/team/).waitFor();
  await stage.accessible("code signing");
  await stage.ask("is it signed?");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await confirm(page, "Remove");
  await page.getByText("any code may be deployed").waitFor();
}

async function narrow(stage) {
  const { page } = stage;
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 420, height: 900 });
  for (const section of ["permissions", "url"]) {
    await page.goto(stage.address(SECTION + section));
    await page.getByText(section === "url" ? "Everybody may call it" : "ArnLike AWS:SourceArn").waitFor();
    await stage.accessible(`${section} in the dark, narrow`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${section} scrolls sideways`);
  }
}

/** Each part says what is denied, and what is allowed stays. */
async function denied(stage) {
  const { page, given } = stage;
  stage.expect(/status of 40[03]/);
  await signIn(page, given.key, given.secret);
  await page.getByText(/not authorized to perform: iam:GetRole /).waitFor();
  await page.getByText("The function itself has no policy").waitFor();
  await stage.accessible("permissions that are denied");
  await add(page);
  await page.getByLabel("Statement ID").fill("mine");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/not authorized to perform: lambda:AddPermission /).waitFor();
  assert.equal(await page.getByLabel("Statement ID").inputValue(), "mine");
  for (const [section, action] of [["url", "lambda:ListFunctionUrlConfigs"], ["code-signing", "lambda:GetFunctionCodeSigningConfig"]]) {
    await page.goto(stage.address(SECTION + section));
    await page.getByText(new RegExp(`not authorized to perform: ${action} `)).waitFor();
  }
  await page.goto(stage.address(`${SECTION}vpc`));
  await edit(page, "VPC");
  await page.getByText(/not authorized to perform: ec2:DescribeVpcs /).waitFor();
}
