// What an account shares: test events, its pool of concurrency, and the log of who did what.

import assert from "node:assert/strict";
import { confirm, replaceText, signIn, test } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/functions/busy/test"));
  await signIn(page, given.key, given.secret);
  await events(stage);
  await pool(stage);
  await audit(stage);
}

async function saveAs(page, name, kind, text) {
  await replaceText(page, "Event JSON", text);
  await page.getByLabel("Name to save it under").fill(name);
  await page.getByRole("button", { name: /^Saved as/ }).click();
  await page.getByRole("option", { name: kind }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
}

async function offered(page) {
  await page.getByRole("button", { name: /^Event/ }).first().click();
}

async function events(stage) {
  const { page } = stage;
  await saveAs(page, "mine", "Private", '{"whose": "mine"}');
  await page.getByRole("button", { name: "Share", exact: true }).waitFor();
  stage.expect(/status of 400/);
  await saveAs(page, "no good name", "Shared", '{"whose": "ours"}');
  await page.getByText("ValidationException").or(page.getByText("InvalidParameterValueException")).first().waitFor();
  await saveAs(page, "ours", "Shared", '{"whose": "ours"}');
  await page.getByRole("button", { name: "Make private" }).waitFor();
  await offered(page);
  await page.getByRole("option", { name: /ours/ }).getByText("Shared", { exact: true }).first().waitFor();
  await page.getByRole("option", { name: /mine/ }).getByText("Private", { exact: true }).first().waitFor();
  await page.keyboard.press("Escape");
  await stage.accessible("events of both kinds");
  // Another browser has the shared ones.
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await offered(page);
  await page.getByRole("option", { name: /ours/ }).click();
  await page.getByRole("button", { name: "Make private" }).waitFor();
  assert.equal(await page.getByText("mine", { exact: true }).count(), 0);
  await test(page);
  await page.getByRole("region", { name: "Payload", exact: true }).getByText('"ours"').waitFor();
  await page.getByRole("button", { name: "Make private" }).click();
  await page.getByRole("button", { name: "Share", exact: true }).waitFor();
  assert.equal(await stage.ask("shared events"), "");
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.getByRole("button", { name: "Make private" }).waitFor();
  assert.equal(await stage.ask("shared events"), "ours");
  await page.getByRole("button", { name: "Delete the event" }).click();
  await confirm(page, "Delete");
  await page.getByText("The event ours is deleted.").waitFor();
  assert.equal(await stage.ask("shared events"), "");
}

async function pool(stage) {
  const { page } = stage;
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await page.getByRole("row", { name: /busy/ }).getByText("100 reserved").waitFor();
  await page.getByRole("img", { name: /The pool: 0 of 1000 in use now; 100 taken by functions, 0 of 900 unreserved in use/ }).waitFor();
  await stage.accessible("the pool");
}

async function audit(stage) {
  const { page, given } = stage;
  await page.getByRole("link", { name: "Audit log", exact: true }).click();
  const table = page.getByRole("table", { name: "Audit log" });
  await table.getByText("PutTestEvent").first().waitFor();
  assert.equal(await table.getByText("ListTestEvents").count(), 0);
  await table.getByRole("row", { name: /PutFunctionConcurrency/ }).getByText(/root/).first().waitFor();
  await choose(page, "Result", "Failed");
  const refused = table.getByRole("row", { name: /DeleteFunction/ });
  await refused.getByText("AccessDeniedException").waitFor();
  await refused.getByText(/user\/user2\/p statement 1 .*denies lambda:DeleteFunction/).waitFor();
  await refused.getByText("user/user2", { exact: true }).waitFor();
  await stage.accessible("the audit log");
  await refused.getByRole("button", { name: /Record of DeleteFunction/ }).click();
  await page.getByRole("dialog").getByText('"errorCode": "AccessDenied').waitFor();
  await stage.accessible("a record");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  await page.getByLabel("Operation").fill("CreateFunction");
  await page.getByRole("button", { name: "Search" }).click();
  await table.getByText("No record is like that.").waitFor();
  await choose(page, "Result", "Succeeded");
  await table.getByText(/CreateFunction/).waitFor();
  assert.match(page.url(), /outcome=SUCCESS.*operation=CreateFunction/);
  await page.reload();
  await table.getByText(/CreateFunction/).waitFor();
  await page.goBack();
  await table.getByText("No record is like that.").waitFor();
  await page.getByLabel("Operation").fill("GetPolicy");
  await choose(page, "Calls", "Reads");
  await choose(page, "Result", "All");
  await page.getByRole("heading", { level: 1, name: "Audit log (50+)" }).waitFor();
  await page.getByRole("button", { name: "Load more" }).click();
  await page.getByRole("heading", { level: 1, name: `Audit log (${given.reads})` }).waitFor();
}

async function choose(page, label, option) {
  await page.getByRole("button", { name: new RegExp(`^${label}`) }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}
