// Settings of a function in general, its runtime, tags and tools: changed in the page, and read back by the test.

import assert from "node:assert/strict";
import { active, choose, confirm, edit, openTab, save, section } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/settled/configuration"));
  await active(page);
  await general(stage);
  await runtime(stage);
  await snapStart(stage);
  await tags(stage);
  await monitoring(stage);
  await page.goBack();
  await page.getByText("team", { exact: true }).waitFor();
  assert.equal(await page.title(), "settled: Configuration - Ingle");
  await section(page, "General configuration");
  await edit(page, "General configuration");
  await page.getByLabel("Memory (MB)").fill("512");
  await section(page, "Tags");
  await confirm(page, "Leave");
  await page.getByText("team", { exact: true }).waitFor();
}

async function general(stage) {
  const { page } = stage;
  await section(page, "Tags");
  await section(page, "General configuration");
  await edit(page, "General configuration");
  await page.getByLabel("Memory (MB)").fill("64");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("A whole number from 128 to 10240.").waitFor();
  await stage.accessible("general settings, with a mistake");
  await page.getByLabel("Memory (MB)").fill("256");
  await page.getByLabel("Ephemeral storage (MB)").fill("1024");
  await page.getByLabel("Timeout (seconds)").fill("17");
  await page.getByLabel("Description - optional").fill("set in the page");
  await asksBeforeItLeaves(stage);
  await choose(page, "SnapStart", /^PublishedVersions/);
  stage.expect(/status of 400/);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/is not supported for SnapStart enabled functions/).waitFor();
  await choose(page, "SnapStart", "None");
  await save(page, "General configuration");
  await page.getByText("256 MB", { exact: true }).waitFor();
  await active(page);
}

/** A form with something in it is not lost by a link, or by going back, unless somebody says so. */
async function asksBeforeItLeaves(stage) {
  const { page } = stage;
  const dialog = page.getByRole("dialog", { name: "Leave without saving" });
  const before = page.url();
  for (const leave of [() => section(page, "Tags"), () => page.goBack(), () => openTab(page, "Versions")]) {
    await leave();
    await dialog.waitFor();
    await confirm(page, "Stay");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(page.url(), before);
    assert.equal(await page.getByLabel("Timeout (seconds)").inputValue(), "17");
  }
}

async function runtime(stage) {
  const { page, given } = stage;
  await section(page, "Runtime settings");
  await edit(page, "Runtime settings");
  if (given.modern) await choose(page, "Runtime", given.modern);
  await page.getByLabel("Handler").fill("app.other");
  await edit(page, "Runtime management configuration");
  await stage.accessible("the runtime's forms");
  await page.getByRole("button", { name: "Save", exact: true }).first().click();
  await page.getByText("Runtime settings: saved.").waitFor();
  // Until it is looked at again, the page shows the state from before.
  await page.getByText("app.other", { exact: true }).first().waitFor();
  await active(page);
  await page.getByRole("radio", { name: "Function update" }).check();
  await save(page, "Runtime management configuration");
  await page.getByText("Function update", { exact: true }).waitFor();
  await edit(page, "Runtime management configuration");
  await page.getByRole("radio", { name: "Manual" }).check();
  await page.getByLabel("Runtime version ARN").fill(`arn:aws:lambda:us-east-1::runtime:${"0".repeat(64)}`);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/does not exist/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await edit(page, "Runtime management configuration");
  await page.getByRole("radio", { name: "Manual" }).check();
  await save(page, "Runtime management configuration");
  await page.reload();
  await page.getByText("Manual", { exact: true }).waitFor();
}

async function snapStart({ page, given }) {
  if (!given.modern) return;
  await section(page, "General configuration");
  await edit(page, "General configuration");
  await page.getByLabel("Ephemeral storage (MB)").fill("512");
  await choose(page, "SnapStart", /^PublishedVersions/);
  await save(page, "General configuration");
  await page.getByText("PublishedVersions", { exact: true }).waitFor();
  await active(page);
}

async function tags(stage) {
  const { page } = stage;
  await section(page, "Tags");
  await page.getByText("gone", { exact: true }).waitFor();
  await edit(page, "Tags");
  await page.getByRole("button", { name: "Remove tag gone" }).click();
  await page.getByRole("button", { name: "Add tag" }).click();
  await page.keyboard.type("kept");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("kept is there more than once.").first().waitFor();
  await page.setViewportSize({ width: 420, height: 800 });
  await stage.accessible("tags, with a mistake, in a narrow window");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.getByLabel("Key 2").fill("aws:mine");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/Tag keys and values starting with 'aws:' are reserved for system use/).waitFor();
  await page.getByLabel("Key 2").fill("team");
  await page.getByLabel("Value - optional 2").fill("blue");
  await save(page, "Tags");
  await page.getByText("blue", { exact: true }).waitFor();
  assert.equal(await page.getByText("gone", { exact: true }).count(), 0);
}

async function monitoring(stage) {
  const { page } = stage;
  await section(page, "Monitoring and operations tools");
  await edit(page, "Logging configuration");
  await page.getByRole("radio", { name: "JSON" }).check();
  await choose(page, "Application log level", "DEBUG");
  await choose(page, "System log level", "WARN");
  await page.getByLabel("CloudWatch log group").fill("/of/all");
  await stage.accessible("logging");
  await save(page, "Logging configuration");
  await active(page);
  await edit(page, "AWS X-Ray");
  await page.getByLabel("Active tracing").check();
  await save(page, "AWS X-Ray");
  await page.getByText("Enabled", { exact: true }).waitFor();
  await active(page);
}
