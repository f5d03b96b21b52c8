// Layers: published from a folder and from a zip, permitted, attached in an order, used, deleted.

import assert from "node:assert/strict";
import { active, choose, confirm, edit, openTab, save, shown, test } from "../steps.mjs";

export default async function (stage) {
  await create(stage);
  await permit(stage);
  await attach(stage);
  await reorder(stage);
  await look(stage);
}

async function create(stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/layers"));
  await page.getByText("There is no layer in this account and region yet.").waitFor();
  await page.getByRole("link", { name: "Create layer" }).click();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("A name has 1 to 140 characters").waitFor();
  await stage.accessible("a new layer, with mistakes");
  await page.getByLabel("Name", { exact: true }).fill("tools");
  await page.getByLabel("Description - optional").fill("what several functions need");
  await page.getByTestId("folder-input").setInputFiles(given.folder);
  await page.getByText("2 files").waitFor();
  await page.getByRole("checkbox", { name: "x86_64" }).check();
  await choose(page, "Compatible runtimes", given.python);
  await page.keyboard.press("Escape");
  await page.getByLabel("License - optional").fill("MIT");
  await inTheDark(stage, "a new layer in the dark");
  // The page of a version asks for its policy, and there is none.
  stage.expect(/layers\/\w+\/versions\/\d+\/policy/);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("Version 1 of the layer tools is created.").waitFor();
  await page.getByRole("heading", { name: "tools", exact: true }).waitFor();
  assert.match(page.url(), /\/layers\/tools\/1$/);
  await page.getByRole("link", { name: "Create version" }).click();
  await page.getByTestId("zip-input").setInputFiles(given.zip);
  await page.getByText("second.zip").waitFor();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("Version 2 of the layer tools is created.").waitFor();
  await page.getByText("2 (shown above)").waitFor();
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

async function permit(stage) {
  const { page } = stage;
  for (const [sid, principal] of [["neighbour", "111122223333"], ["passing", "*"]]) {
    await page.getByRole("button", { name: "Add permission" }).click();
    await page.getByLabel("Statement ID").fill(sid);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("An account has 12 digits.").waitFor();
    await page.getByLabel("Principal").fill(principal);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("row", { name: sid }).waitFor();
  }
  await stage.accessible("a layer");
  await page.getByRole("button", { name: "Remove permission passing" }).click();
  await confirm(page, "Remove");
  await page.getByText("The permission passing is removed.").waitFor();
  await page.getByRole("row", { name: "passing" }).waitFor({ state: "detached" });
  await page.getByText("No function attaches it.").waitFor();
}

/** Opens the layers' form of the function, whose code is above. */
async function open(stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/layered"));
  await active(page);
  await page.getByRole("textbox", { name: "Text of app.py" }).waitFor();
  await edit(page, "Layers");
}

async function attach(stage) {
  const { page, given } = stage;
  await stage.ask("other");
  await open(stage);
  const add = page.getByRole("button", { name: "Add", exact: true });
  await add.click();
  await page.getByText("Give the ARN of a layer's version").waitFor();
  await choose(page, "Own layer", /^tools/);
  await choose(page, "Version of the layer", /^2/);
  await add.click();
  await page.getByRole("button", { name: "Remove tools, version 2" }).waitFor();
  await page.getByRole("radio", { name: "By ARN" }).or(page.getByRole("button", { name: "By ARN" })).first().click();
  await page.getByLabel("Layer version ARN").fill(given.other);
  await add.click();
  await page.getByRole("button", { name: "Remove other, version 1" }).waitFor();
  await page.getByLabel("Layer version ARN").fill(given.other);
  await add.click();
  await page.getByText("A version of this layer is attached already.").waitFor();
  await stage.accessible("attaching layers");
  await save(page, "Layers");
  await order(stage, ["tools", "other"]);
  await answers(stage, ["tool", "other"]);
}

/** The order by keyboard, and by dragging. Later ones win. */
async function reorder(stage) {
  const { page } = stage;
  await open(stage);
  await page.getByRole("button", { name: /^Move/ }).first().focus();
  for (const key of ["Space", "ArrowDown"]) await page.keyboard.press(key);
  await page.getByText("At 2 of 2.").waitFor({ state: "attached" });
  await page.keyboard.press("Space");
  await page.getByText("Moved from 1 to 2 of 2.").waitFor({ state: "attached" });
  await save(page, "Layers");
  await order(stage, ["other", "tools"]);
  await answers(stage, ["tool", "second"]);
  await open(stage);
  await page.getByRole("button", { name: "Add", exact: true }).scrollIntoViewIfNeeded();
  const [from, to] = await Promise.all([1, 0].map((place) => page.getByRole("button", { name: /^Move/ }).nth(place).boundingBox()));
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(from.x + 5, from.y - 10, { steps: 5 });
  await page.mouse.move(to.x + 5, to.y - 5, { steps: 10 });
  await page.mouse.up();
  await page.getByText("Moved from 2 to 1 of 2.").waitFor({ state: "attached" });
  await save(page, "Layers");
  await order(stage, ["tools", "other"]);
}

async function order({ page }, names) {
  const table = page.getByRole("table", { name: "Layers" });
  for (const [place, name] of names.entries()) await table.getByRole("row", { name: new RegExp(`^${place + 1} ${name}`) }).waitFor();
  await active(page);
}

async function answers({ page }, expected) {
  await openTab(page, "Test");
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  assert.deepEqual(JSON.parse(await shown(page, "Payload")), expected);
}

async function look(stage) {
  const { page } = stage;
  await page.getByRole("table", { name: "Layers" }).getByRole("link", { name: "tools" }).click();
  await page.getByRole("row", { name: /layered \$LATEST .* 1 of 2/ }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), "tools-2.zip");
  await page.getByRole("link", { name: "1", exact: true }).click();
  await page.getByText("1 (shown above)").waitFor();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await confirm(page, "Delete");
  await page.getByText("Version 1 of tools is deleted.").waitFor();
  await page.getByText("2 (shown above)").waitFor();
  await page.goto(stage.address("us-east-1/layers/tools/1"));
  await page.getByText("The layer tools has no version 1.").waitFor();
  await page.getByRole("button", { name: "All layers" }).click();
  await page.getByRole("link", { name: "tools" }).waitFor();
  await stage.accessible("layers");
}
