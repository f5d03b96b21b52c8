// Environment variables: hidden, shown, edited by keyboard, imported, encrypted in transit and at rest.

import assert from "node:assert/strict";
import { active, edit, save, shown } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/varied/configuration/environment"));
  await active(page);
  await hidden(stage);
  await edited(stage);
  await imported(stage);
  await encrypted(stage);
  await save(page, "Environment variables");
  await active(page);
  await page.getByText(stage.given.key, { exact: true }).waitFor();
  await unreadable(stage);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  for (const secret of ["hush", "at your side"]) assert.equal(kept.includes(secret), false);
}

/** Without the key: nobody takes that for no variables at all. */
async function unreadable(stage) {
  const { page } = stage;
  await stage.ask("disable the key");
  await page.reload();
  await page.getByText("The variables cannot be read").waitFor();
  await page.getByText(/KMSDisabledException|KMS key used is disabled/).first().waitFor();
  await edit(page, "Environment variables");
  await page.getByText("What is saved takes the place of all of them.").waitFor();
  await stage.accessible("variables that cannot be read");
  await stage.ask("enable the key");
  await page.reload();
  await page.getByRole("button", { name: "Show the value of SECRET" }).waitFor();
}

async function hidden(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "Show the value of OLD" }).waitFor();
  assert.equal(await page.getByText("ages ago").count(), 0);
  await page.getByRole("button", { name: "Show the value of OLD" }).click();
  await page.getByText("ages ago").waitFor();
  assert.equal(await page.getByText("as it was").count(), 0);
  await page.getByRole("button", { name: "Show values" }).click();
  await page.getByText("as it was").waitFor();
  await stage.accessible("variables that are shown");
  await page.getByRole("button", { name: "Hide values" }).click();
  assert.equal(await page.getByText("ages ago").count(), 0);
}

async function edited(stage) {
  const { page } = stage;
  await edit(page, "Environment variables");
  await page.getByRole("button", { name: "Remove environment variable OLD" }).press("Enter");
  await page.getByRole("button", { name: "Add environment variable" }).press("Enter");
  await page.keyboard.type("SAME");
  await page.keyboard.press("Tab");
  await page.keyboard.type("changed");
  await page.keyboard.press("Enter");
  await page.getByText("SAME is there more than once.").first().waitFor();
  await stage.accessible("variables, with a mistake");
  await page.getByLabel("Key 2").fill("AWS_REGION");
  stage.expect(/status of 400/);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/Reserved keys used in this request: AWS_REGION/).waitFor();
  await page.getByLabel("Key 2").fill("SECRET");
  await page.getByLabel("Value 2").fill("x".repeat(4096));
  await page.getByText(/^41\d\d of 4096 bytes/).first().waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/exceeded the 4KB limit/).waitFor();
  await page.getByLabel("Value 2").fill("hush");
}

async function imported({ page }) {
  await page.getByRole("button", { name: "Import .env lines" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Lines").fill("nothing of the kind");
  await dialog.getByRole("button", { name: "Import" }).click();
  await dialog.getByText("There is no KEY=VALUE in line 1.").waitFor();
  await dialog.getByLabel("Lines").fill('# mine\nexport GREETING="at your side"\nSAME=replaced # said aside\n');
  await dialog.getByRole("button", { name: "Import" }).click();
  assert.equal(await page.getByLabel("Value 1", { exact: true }).inputValue(), "replaced");
  assert.equal(await page.getByLabel("Value 3", { exact: true }).inputValue(), "at your side");
}

async function encrypted(stage) {
  const { page, given } = stage;
  await page.getByText("Encryption configuration").click();
  await page.getByLabel("Enable helpers for encryption in transit").check();
  await page.getByRole("button", { name: "Encrypt SECRET" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Encrypt", exact: true }).click();
  await dialog.getByText(/Choose a key, or give an ARN/).waitFor();
  const python = await shown(page, "Decrypts in Python");
  await dialog.getByRole("tab", { name: "Node.js" }).click();
  await stage.ask({ python, node: await shown(page, "Decrypts in Node.js") });
  await stage.accessible("encrypting a variable");
  await dialog.getByLabel("AWS KMS key to encrypt in transit").fill("mine");
  await page.getByRole("option", { name: /alias\/mine/ }).click();
  await dialog.getByRole("button", { name: "Encrypt", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  assert.match(await page.getByLabel("Value 2").inputValue(), /^[A-Za-z0-9+/]{80,}=*$/);
  assert.equal(await page.getByRole("button", { name: "SECRET is encrypted" }).isDisabled(), true);
  await page.getByRole("radio", { name: "Use a customer master key" }).check();
  await page.getByLabel("Customer master key", { exact: true }).fill(given.key);
  await page.keyboard.press("Escape");
}
