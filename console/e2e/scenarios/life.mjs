// A function from its creation to its end: created, edited, deployed, tested, deleted.

import assert from "node:assert/strict";
import { active, appear, confirmDeletion, fromBlueprint, openTab, replaceText, shown, test } from "../steps.mjs";

const CHANGED = `import helper

def lambda_handler(event, context):
    print("a line of mine")
    return {"answer": helper.twice(event["number"])}
`;

export default async function (stage) {
  const { page, given } = stage;
  await page.goto(stage.address());
  await page.getByText("No functions").waitFor();
  assert.match(page.url(), /\/us-east-1\/functions$/);
  await page.getByRole("button", { name: "Account 000000000000" }).waitFor();
  await stage.accessible("an empty list");
  await page.getByRole("link", { name: "Create function" }).first().click();
  await page.getByRole("button", { name: "Create function" }).click();
  await page.getByText("A name has 1 to 64 characters").waitFor();
  await stage.accessible("creating, with mistakes");
  await fromBlueprint(stage, "Hello in Python", "life", given.python);
  await page.getByRole("textbox", { name: "Text of lambda_function.py" }).waitFor();
  await stage.accessible("the code");
  await inTheDark(stage);
  await edit(stage);
  await run(stage);
  await again(stage);
  await remove(stage);
}

async function inTheDark(stage) {
  const { page } = stage;
  for (const [theme, what] of [["Dark", "the code in the dark"], ["Light", undefined]]) {
    await appear(page, theme);
    if (what) await stage.accessible(what);
  }
}

async function edit({ page }) {
  await replaceText(page, "Text of lambda_function.py", CHANGED);
  await page.getByText("1 file changed, not deployed").waitFor();
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByRole("textbox", { name: "Path" }).fill("lambda_function.py");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText("lambda_function.py exists already.").waitFor();
  await page.getByRole("textbox", { name: "Path" }).fill("misnamed.py");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await replaceText(page, "Text of misnamed.py", "def twice(number):\n    return 2 * number\n");
  await page.getByRole("button", { name: "Actions for misnamed.py" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Path" }).fill("helper.py");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.getByText("2 files changed, not deployed").waitFor();
  await page.getByRole("textbox", { name: "Text of helper.py" }).click();
  await page.keyboard.press("Control+s");
  await page.getByText("The code of life is deployed.").waitFor();
  await page.getByText("Deployed", { exact: true }).waitFor();
  await active(page);
}

async function run(stage) {
  const { page } = stage;
  await openTab(page, "Test");
  await replaceText(page, "Event JSON", "{");
  await page.getByText("The event is not JSON").waitFor();
  await replaceText(page, "Event JSON", '{"number": 21}');
  await page.getByLabel("Name to save it under").fill("answer");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  assert.deepEqual(JSON.parse(await shown(page, "Payload")), { answer: 42 });
  assert.match(await shown(page, "End of the log (4 KB)"), /a line of mine[^]*REPORT RequestId/);
  for (const label of ["Billed duration", "Memory used", "Executed version"]) await page.getByText(label).first().waitFor();
  await stage.accessible("a result");
  await page.setViewportSize({ width: 420, height: 800 });
  await stage.accessible("a narrow window");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByRole("radio", { name: "Dry run" }).check();
  await test(page);
  await page.getByText("Would be run").first().waitFor();
  await page.getByRole("radio", { name: "Asynchronous" }).check();
  await test(page);
  await page.getByText("Accepted").first().waitFor();
  await page.getByRole("radio", { name: "Wait for the answer" }).check();
  await replaceText(page, "Event JSON", "{}");
  await test(page);
  await page.getByText("Function error: Unhandled").first().waitFor();
  assert.match(await shown(page, "Payload"), /KeyError/);
  assert.equal(await page.getByRole("link", { name: /^Run \d/ }).count(), 4);
}

/** A reload keeps the place, and what was saved and deployed. */
async function again({ page }) {
  await page.reload();
  await active(page);
  assert.match(page.url(), /\/functions\/life\/test$/);
  await page.getByRole("button", { name: "Event", exact: false }).first().click();
  await page.getByRole("option", { name: "answer" }).click();
  await page.getByText("21").first().waitFor();
  await openTab(page, "Code");
  await page.getByRole("button", { name: "helper.py", exact: true }).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Test", exact: true }).waitFor();
  await page.goForward();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), "life.zip");
}

async function remove({ page }) {
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByRole("button", { name: "Delete", exact: true }).isDisabled(), true);
  await confirmDeletion(dialog);
  await page.getByText("The function life is deleted.").waitFor();
  await page.getByText("No functions").waitFor();
}
