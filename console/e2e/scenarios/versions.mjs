// Versions and aliases of a function: published, looked at, compared, deleted; made, moved, and shared out.

import assert from "node:assert/strict";
import { active, choose, confirm, edit, openTab, save, shown, test } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/numbered"));
  await active(page);
  await qualified(stage);
  await publish(stage);
  await compare(stage);
  await create(stage);
  await share(stage);
  await deleteVersions(stage);
  await deleteAlias(stage);
}

async function qualify(page, option) {
  await page.getByRole("button", { name: "Qualifier" }).click();
  await page.getByRole("option", { name: option }).click();
}

/** A version is shown and tested, and cannot be changed. */
async function qualified(stage) {
  const { page } = stage;
  await qualify(page, "1");
  await page.getByRole("heading", { name: "numbered:1" }).waitFor();
  assert.match(page.url(), /\/functions\/numbered:1\/code$/);
  await page.getByRole("textbox", { name: "Text of lambda_function.py" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "New file" }).count(), 0);
  await page.getByText("return 1").waitFor();
  await stage.accessible("the code of a version");
  await openTab(page, "Configuration");
  const button = page.getByRole("button", { name: "Edit General configuration" });
  await button.waitFor();
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  await openTab(page, "Test");
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  assert.equal(await shown(page, "Payload"), "1");
  await page.reload();
  await page.getByRole("heading", { name: "numbered:1" }).waitFor();
  await qualify(page, "$LATEST");
  await page.getByRole("heading", { name: "numbered", exact: true }).waitFor();
}

async function publish(stage) {
  const { page } = stage;
  await openTab(page, "Versions");
  await page.getByRole("row", { name: /the first/ }).waitFor();
  await page.getByRole("button", { name: "Publish new version" }).click();
  const sha256 = page.getByLabel("Code SHA-256 - optional"), right = await sha256.inputValue();
  assert.equal(right.length, 44);
  stage.expect(/status of 400/);
  await sha256.fill(`${right.slice(0, 10)}${right.slice(10, 43).toLowerCase()}=`);
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("is different from current CodeSHA256").waitFor();
  await stage.accessible("a version that is not published");
  await sha256.fill(right);
  await page.getByLabel("Version description - optional").fill("the second");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText("Version 2 is published.").waitFor();
  await page.getByRole("row", { name: /the second/ }).waitFor();
}

async function compare(stage) {
  const { page } = stage;
  for (const version of ["2", "1"]) await page.getByRole("checkbox", { name: `Select version ${version}` }).check();
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  await page.getByRole("heading", { name: "Code (2)" }).waitFor();
  assert.match(page.url(), /\/versions\/1\.\.\.2$/);
  const settings = page.getByRole("table", { name: "Configuration that differs" });
  await settings.getByRole("row", { name: "Memory (MB) 128 256" }).waitFor();
  assert.equal(await settings.getByText("hush").count(), 0);
  await page.getByRole("checkbox", { name: "Show values of variables" }).check();
  await settings.getByRole("row", { name: "Environment variable WORD hush louder" }).waitFor();
  const lines = page.getByRole("textbox", { name: "Changes of lambda_function.py" });
  await lines.waitFor();
  const text = await lines.innerText();
  assert.match(text, /return 1[^]*return 2/);
  await stage.accessible("two versions");
  await page.getByRole("button", { name: "more.txt, added" }).click();
  await page.getByRole("textbox", { name: "Changes of more.txt" }).waitFor();
  await inTheDark(stage, "two versions in the dark");
  await choose(page, "Version", "$LATEST");
  await page.getByText("The code is the same.").waitFor();
  assert.match(decodeURIComponent(page.url()), /\/versions\/\$LATEST\.\.\.2$/);
  await page.goBack();
  await page.getByRole("heading", { name: "Code (2)" }).waitFor();
}

async function inTheDark(stage, what) {
  const { page } = stage;
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 420, height: 900 });
  await stage.accessible(what);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function create(stage) {
  const { page } = stage;
  await openTab(page, "Aliases");
  await page.getByText("No aliases").waitFor();
  await page.getByRole("button", { name: "Create alias" }).click();
  await page.getByLabel("Name", { exact: true }).fill("12");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("and not digits alone").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("live");
  await choose(page, "Version", "1 the first");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("The alias is created.").waitFor();
  await page.getByRole("row", { name: "live 1 -" }).waitFor();
  await page.getByRole("link", { name: "live", exact: true }).click();
  await page.getByText("nothing ran").waitFor();
  assert.match(page.url(), /\/aliases\/live$/);
}

/** Shifts by slider and by number, and sees what ran. */
async function share(stage) {
  const { page } = stage;
  await edit(page, "Alias live");
  await choose(page, "Additional version", "2 the second");
  const slider = page.getByRole("slider", { name: "Share of version 2" });
  await slider.focus();
  for (let times = 0; times < 3; times++) await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByRole("textbox", { name: "Weight (%)" }).inputValue(), "3");
  await page.getByRole("textbox", { name: "Weight (%)" }).fill("50");
  await page.getByText("Version 2 gets 50 %, version 1 50 % of the invocations.").waitFor();
  await stage.accessible("shifting weights");
  await save(page, "Alias live");
  await page.getByText("1 (50 %), 2 (50 %)").waitFor();
  await page.getByLabel("Test invocations").fill("40");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText(/Of 40 invocations version 1 answered \d+, version 2 answered \d+\./).waitFor();
  const [, one, other] = (await page.getByRole("status").filter({ hasText: "Of 40" }).innerText()).match(/1 answered (\d+), version 2 answered (\d+)/);
  assert.equal(Number(one) + Number(other), 40);
  const split = page.getByRole("table", { name: "Measured split" });
  await split.getByRole("row", { name: `1 50 % ${one} ` }).waitFor();
  await split.getByRole("row", { name: `2 50 % ${other} ` }).waitFor();
  await stage.accessible("the measured split");
  await inTheDark(stage, "the measured split in the dark");
}

/** What an alias leads to is not deleted; all else is. */
async function deleteVersions(stage) {
  const { page } = stage;
  stage.expect(/status of 409/);
  await openTab(page, "Versions");
  await page.getByRole("row", { name: /live \(50 %\)/ }).first().waitFor();
  await page.getByRole("button", { name: "Delete version 2" }).click();
  await confirm(page, "Delete");
  await page.getByText("Unable to delete version because the following aliases reference it: [live]").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await openTab(page, "Aliases");
  await page.getByRole("link", { name: "live", exact: true }).click();
  await edit(page, "Alias live");
  await choose(page, "Version", "2 the second");
  await choose(page, "Additional version", "None");
  await save(page, "Alias live");
  await page.getByText("not any more").waitFor();
  await openTab(page, "Versions");
  await page.getByRole("button", { name: "Delete version 1" }).click();
  await confirm(page, "Delete");
  await page.getByText("Version 1 is deleted.").waitFor();
  await page.getByRole("row", { name: /the first/ }).waitFor({ state: "detached" });
}

async function deleteAlias(stage) {
  const { page } = stage;
  await openTab(page, "Aliases");
  await page.getByRole("button", { name: "Create alias" }).click();
  await page.getByLabel("Name", { exact: true }).fill("passing");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("button", { name: "Delete alias passing" }).click();
  await confirm(page, "Delete");
  await page.getByText("The alias passing is deleted.").waitFor();
  await page.getByRole("link", { name: "passing" }).waitFor({ state: "detached" });
  await stage.accessible("aliases");
}
