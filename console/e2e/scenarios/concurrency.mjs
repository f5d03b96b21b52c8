// Reserved and provisioned concurrency, the account's pool, and detection of recursion.

import { active, appear, choose, confirm, edit, save } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/crowded/configuration/concurrency"));
  await active(page);
  await reserved(stage);
  await provisioned(stage);
  await throttled(stage);
  await edit(page, "Recursive loop detection");
  await page.getByRole("radio", { name: "Allow" }).check();
  await save(page, "Recursive loop detection");
  await page.getByText("Allow", { exact: true }).waitFor();
}

async function pool(page, own, others, unreserved) {
  const told = `Of 1000. This function: ${own}, Other functions: ${others}, Unreserved: ${unreserved}`;
  await page.getByRole("img", { name: told }).waitFor();
}

async function reserved(stage) {
  const { page } = stage;
  await pool(page, 0, 200, 800);
  await edit(page, "Concurrency");
  await page.getByRole("radio", { name: "Reserve concurrency" }).check();
  await page.getByText("At most 700: 100 have to stay unreserved.").waitFor();
  await page.getByLabel("Reserved concurrency").fill("701");
  stage.expect(/status of 400/);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/decreases account's UnreservedConcurrentExecution below its minimum value of \[100\]/).waitFor();
  await stage.accessible("a reserve that is too large");
  await page.getByLabel("Reserved concurrency").fill("50");
  await save(page, "Concurrency");
  await pool(page, 50, 200, 750);
}

async function provisioned(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "Add configuration" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Choose one.").waitFor();
  await choose(page, "Alias or version", /^live/);
  await page.getByLabel("Provisioned concurrency", { exact: true }).fill("51");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/should not be greater than the reservedConcurrentExecution/).waitFor();
  await stage.accessible("provisioned concurrency, refused");
  await page.getByLabel("Provisioned concurrency", { exact: true }).fill("2");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("row", { name: /Alias live Ready 2 2 2/ }).waitFor();
  await page.getByRole("button", { name: "Edit live" }).click();
  await page.getByLabel("Provisioned concurrency", { exact: true }).fill("1");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("row", { name: /Alias live Ready 1 1 1/ }).waitFor();
  await appear(page, "Dark");
  await stage.accessible("concurrency in the dark");
  await appear(page, "Light");
  await page.getByRole("button", { name: "Remove live" }).click();
  await confirm(page, "Remove");
  await page.getByText("Nothing is provisioned.").waitFor();
}

async function throttled(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "Throttle" }).click();
  await confirm(page, "Throttle");
  await page.getByText("Reserved: 0").waitFor();
  await stage.ask("throttled");
  await edit(page, "Concurrency");
  await page.getByRole("radio", { name: "Use unreserved account concurrency: 800" }).check();
  await save(page, "Concurrency");
  await pool(page, 0, 200, 800);
  await stage.ask("runs");
}
