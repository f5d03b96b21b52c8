// Thousands of functions: searched, sorted, turned over, and some of them deleted.

import assert from "node:assert/strict";
import { confirmDeletion } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/functions"));
  await page.getByText(`(${given.count})`).waitFor();
  const rows = page.getByRole("table", { name: "Functions" }).getByRole("row");
  assert.equal(await rows.count(), 51);
  await search(page, "many-0042");
  await page.getByText("1 match", { exact: true }).first().waitFor();
  await page.getByRole("link", { name: "many-0042" }).waitFor();
  await clear(page);
  await search(page, "Tag team = blue");
  await page.getByText(`${given.blue} matches`).first().waitFor();
  await stage.accessible("a list that is searched");
  await clear(page);
  await search(page, `Runtime = ${given.python}`);
  await page.getByText(`${given.count} matches`).first().waitFor();
  await clear(page);
  await search(page, "Description : the last");
  await page.getByText("1 match", { exact: true }).first().waitFor();
  await clear(page);
  await page.getByRole("columnheader", { name: "Function name" }).getByRole("button", { name: /Function name/ }).first().press("Enter");
  await page.getByRole("link", { name: given.last }).waitFor();
  await page.getByRole("columnheader", { name: "Function name" }).getByRole("button", { name: /Function name/ }).first().press("Enter");
  await page.getByRole("button", { name: "Next page" }).click();
  await page.getByRole("link", { name: "many-0050" }).waitFor();
  await removeSome(stage);
}

async function removeSome(stage) {
  const { page, given } = stage;
  await search(page, "Function name ^ many-000");
  await page.getByText("10 matches").first().waitFor();
  await page.getByRole("checkbox", { name: "Select all functions on this page" }).press("Space");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Delete 10 functions").waitFor();
  await stage.accessible("deleting several");
  await confirmDeletion(dialog);
  await page.getByText("10 functions are deleted.").waitFor();
  await clear(page);
  await page.getByText(`(${given.count - 10})`).waitFor();
}

async function search(page, text) {
  const input = page.getByRole("combobox", { name: "Search functions" });
  await input.fill(text);
  await input.press("Enter");
}

async function clear(page) {
  await page.getByRole("button", { name: "Clear filters" }).click();
}
