// Code that somebody has: a zip, and a folder that is zipped in the browser; then files that cannot be edited.

import assert from "node:assert/strict";
import { active, choose, openTab, shown, test } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  await create(stage, "from-folder", "folder-input", given.folder, "4 files");
  await page.getByRole("button", { name: "app.py", exact: true }).waitFor();
  await page.getByRole("button", { name: "Open data" }).click();
  await page.getByRole("button", { name: "data/noise.bin", exact: true }).click();
  await page.getByText("This file is not text.").waitFor();
  await page.getByRole("button", { name: "data/large.txt", exact: true }).click();
  await page.getByText("larger than 1 MB").waitFor();
  await stage.accessible("files that are not edited");
  await linesStay(stage);
  await page.getByTestId("files-input").setInputFiles({ name: "more.txt", mimeType: "text/plain", buffer: Buffer.from("more") });
  await page.getByText("1 file changed, not deployed").waitFor();
  await page.getByRole("button", { name: "Actions for more.txt" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("Deployed", { exact: true }).waitFor();
  await openTab(page, "Test");
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  assert.equal(await shown(page, "Payload"), '"from a folder"');
  await create(stage, "from-zip", "zip-input", given.zip, "large.zip");
  await page.getByText("The package is larger than 10 MB").waitFor();
  await stage.accessible("a package that is not opened");
}

/** A file whose lines end in another way has no change because it was looked at, and keeps its ends when it is edited. */
async function linesStay({ page }) {
  await page.getByRole("button", { name: "windows.txt", exact: true }).click();
  await page.getByRole("textbox", { name: "Text of windows.txt" }).click();
  await page.getByText("Deployed", { exact: true }).waitFor();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("three");
  await page.getByText("1 file changed, not deployed").waitFor();
  await page.keyboard.press("Control+s");
  await page.getByText("The code of from-folder is deployed.").waitFor();
  await page.getByText("Deployed", { exact: true }).waitFor();
  await active(page);
}

async function create(stage, name, input, path, described) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/create"));
  await page.getByRole("radio", { name: "With your code" }).check();
  await page.getByLabel("Function name").fill(name);
  await choose(page, "Runtime", given.python);
  await page.getByLabel("Handler").fill("app.handler");
  await page.getByTestId(input).setInputFiles(path);
  await page.getByText(described).waitFor();
  await page.getByRole("radio", { name: "Use a role that exists" }).check();
  await page.getByLabel("Role", { exact: true }).fill("arn:aws:iam::000000000000:role/any");
  await page.getByRole("button", { name: "Create function" }).click();
  await page.getByText(`The function ${name} is created.`).waitFor();
  await active(page);
}
