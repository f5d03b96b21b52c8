// What a function did: graphs, its log while it runs, its invocations.

import assert from "node:assert/strict";
import { active, choose, openTab } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/watched"));
  await active(page);
  await metrics(stage);
  await logs(stage);
  await structured(stage);
  await many(stage);
  await nothingYet(stage);
  await invocations(stage);
}

async function metrics(stage) {
  const { page, given } = stage;
  await openTab(page, "Monitor");
  await graph(page, "Invocations", `Total ${given.invocations}`);
  await graph(page, "Errors", `Total ${given.errors}, success rate`);
  await graph(page, "Throttles", `Total ${given.throttles}`);
  await graph(page, "Async events received", `Received ${given.events}, Dropped 0`);
  await graph(page, "Cold starts", `Total ${given.cold}`);
  await graph(page, "Concurrent executions", "At most");
  assert.equal(await page.getByRole("heading", { name: "Async delivery failures" }).count(), 0);
  await page.getByRole("button", { name: "Figures of Invocations" }).click();
  const cells = await page.getByRole("table", { name: "Figures of Invocations" }).getByRole("cell").allInnerTexts();
  assert.equal(cells.map(Number).filter(Number.isFinite).reduce((sum, each) => sum + each, 0), given.invocations);
  await stage.accessible("graphs");
  await byAlias(stage);
  await ranges(stage);
}

function box(page, title) {
  return page.locator(".graphs > div").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}

async function graph(page, title, summary) {
  await box(page, title).getByText(summary).waitFor();
}

/** Only what came by an alias, and the versions that it led to. */
async function byAlias(stage) {
  const { page, given } = stage;
  await choose(page, "Called by", "Alias live");
  await graph(page, "Invocations", `Total ${given.alias}`);
  await graph(page, "Invocations by version", `Version 1 ${given.versions[0]}, Version 2 ${given.versions[1]}`);
  await graph(page, "Async events received", `Received ${given.events}`);
  await page.reload();
  await graph(page, "Invocations", `Total ${given.alias}`);
  await page.goBack();
  await graph(page, "Invocations", `Total ${given.invocations}`);
  // The page of an alias shows what came by it.
  await page.goto(stage.address("us-east-1/functions/watched:live/monitor"));
  await graph(page, "Invocations", `Total ${given.alias}`);
  await choose(page, "Called by", "All versions and aliases");
  await graph(page, "Invocations", `Total ${given.invocations}`);
  await page.goto(stage.address("us-east-1/functions/watched/monitor"));
}

async function ranges(stage) {
  const { page, given } = stage;
  await page.getByRole("button", { name: "Range of time" }).click();
  await page.getByRole("radio", { name: "Last week" }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("A point for every hour.").waitFor();
  await graph(page, "Invocations", `Total ${given.invocations}`);
  assert.equal(new URL(page.url()).search, "?range=1w");
  await page.goto(`${stage.address("us-east-1/functions/watched/monitor/metrics")}?from=2026-01-01T00:00:00Z&to=2026-01-01T03:00:00Z`);
  await box(page, "Invocations").getByText("No figures in this range").waitFor();
  await page.getByRole("button", { name: "Refresh: off" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Every 10 seconds" }).click();
  await page.getByRole("button", { name: "Refresh: every 10 seconds" }).waitFor();
}

function line(page, text) {
  return page.getByRole("table", { name: "Lines of the log" }).getByRole("row").filter({ hasText: text });
}

/** How many lines there are, of which only those in sight are made. */
async function counted(page, count) {
  await page.getByRole("heading", { name: `Logs (${count})` }).waitFor();
}

async function search(page, text) {
  await page.getByRole("searchbox", { name: "Search" }).fill(text);
  await page.keyboard.press("Enter");
}

async function logs(stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/functions/watched/monitor/logs"));
  await line(page, "REPORT RequestId").first().waitFor();
  await stage.accessible("a log");
  // What is written while somebody watches.
  await stage.ask({ event: { mark: "while watched" } });
  await line(page, "seen {'mark': 'while watched'}").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused").waitFor();
  await stage.ask({ event: { mark: "while paused" } });
  assert.equal(await line(page, "while paused").count(), 0);
  await page.getByRole("button", { name: "Resume" }).click();
  await line(page, "seen {'mark': 'while paused'}").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByText("No lines.").waitFor();
  await stage.ask({ event: { mark: "after clearing" } });
  await line(page, "seen {'mark': 'after clearing'}").waitFor();
  assert.equal(await line(page, "while paused").count(), 0);
  await searched(stage);
  await byRequest(stage);
  await around(stage);
}

async function searched(stage) {
  const { page, given } = stage;
  await search(page, "mark");
  await counted(page, 3);
  await stage.ask({ event: { mark: "found, too" } });
  await line(page, "found, too").waitFor();
  await page.reload();
  await counted(page, 4);
  stage.expect(/status of 400/);
  await search(page, "{ $.level");
  await page.getByText("Invalid filter pattern").waitFor();
  await page.getByRole("button", { name: "Clear the search" }).click();
  await choose(page, "Level", "ERROR and above");
  await line(page, "[ERROR] ValueError: no good").waitFor();
  await counted(page, given.errors);
  await choose(page, "Level", "All levels");
  await choose(page, "Version", "Version 1");
  await line(page, "START RequestId").first().waitFor();
  assert.equal(await line(page, "Version: $LATEST").count(), 0);
  await choose(page, "Version", "All versions");
}

async function byRequest(stage) {
  const { page, given } = stage;
  await page.getByText("Group by request").click();
  const region = page.getByRole("region", { name: "Log", exact: true });
  await region.evaluate((element) => element.scrollTo(0, 0));
  const cold = line(page, given.ids.cold).filter({ has: page.getByRole("button", { name: /^Request / }) });
  await cold.getByText("cold", { exact: true }).waitFor();
  await cold.getByRole("button").click();
  assert.equal(await page.getByRole("button", { name: `Request ${given.ids.cold}` }).getAttribute("aria-expanded"), "false");
  await stage.accessible("a log by request");
  await cold.getByRole("link", { name: given.ids.cold }).click();
  await page.getByRole("heading", { name: "Logs of a request" }).waitFor();
  await page.getByText(`Request ${given.ids.cold}`, { exact: true }).waitFor();
  await line(page, "REPORT RequestId").waitFor();
  assert.deepEqual(
    (await page.getByRole("row").locator(".log-text").allInnerTexts()).slice(1).map((text) => text.split(" ")[0]),
    ["INIT_START", "START", "seen", given.warning, "END", "REPORT"],
  );
  await page.getByRole("button", { name: "The whole log" }).click();
}

async function around(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "Jump to time" }).click();
  await page.getByRole("dialog").getByLabel("Time of day").fill("");
  await page.getByRole("dialog").getByRole("button", { name: "Jump" }).click();
  await page.getByText("A date and a time are needed.").waitFor();
  await stage.accessible("jumping to a time");
  await page.getByRole("dialog").getByLabel("Time of day").fill("00:00:00");
  await page.getByRole("dialog").getByRole("button", { name: "Jump" }).click();
  await page.getByText(/^Around /).waitFor();
  await page.getByRole("button", { name: "Back to the latest lines" }).click();
  await page.getByText("Watching").waitFor();
}

/** A log in JSON, whose lines are unfolded, in the dark and in a narrow window. */
async function structured(stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/structured/monitor/logs"));
  await line(page, "a careful word").getByRole("button").click();
  await page.locator(".log-unfolded pre").getByText('"message": "a careful word"').waitFor();
  await page.getByRole("link", { name: /^Logs of request/ }).waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await stage.accessible("a line of JSON in the dark");
  await page.setViewportSize({ width: 420, height: 800 });
  await stage.accessible("a log in a narrow window");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByRole("link", { name: "The log around this line" }).click();
  await page.getByText(/^Around /).waitFor();
  await page.locator(".log-target").waitFor();
}

/** More lines than are held: those before make room, and few are made at a time. */
async function many(stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/structured/monitor/logs"));
  await line(page, "platform.report").first().waitFor();
  await stage.ask({ name: "structured", event: { lines: 25000 } });
  await page.getByRole("heading", { name: "Logs (20,000)" }).waitFor();
  await page.getByText(/ lines made room for later ones/).waitFor();
  assert.ok(await page.getByRole("row").count() < 100);
  const region = page.getByRole("region", { name: "Log", exact: true });
  await region.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await page.getByRole("button", { name: "To the last line" }).click();
  await line(page, "platform.report").last().waitFor();
}

async function nothingYet(stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/quiet/monitor/logs"));
  await page.getByText("There is no log yet").waitFor();
  await stage.accessible("no log yet");
  await page.getByRole("tab", { name: "Invocations" }).click();
  await page.getByText("No invocations").waitFor();
  await page.goBack();
  await page.getByText("There is no log yet").waitFor();
  await stage.ask({ name: "quiet", event: { mark: "the first" } });
  await line(page, "the first").first().waitFor();
}

async function invocations(stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/functions/watched/monitor/invocations"));
  const table = page.getByRole("table", { name: "Invocations" });
  const row = (name) => table.getByRole("row").filter({ hasText: given.ids[name] });
  const all = given.invocations + 4;
  await page.getByRole("heading", { name: `Invocations (${all})` }).waitFor();
  for (const [name, words] of [["cold", "cold"], ["cold", "Succeeded"], ["warm", "warm"], ["failed", "Error"], ["late", "Timed out"], ["late", "1.00 s"], ["second", "128 MB"]]) {
    await row(name).getByText(words).first().waitFor();
  }
  await stage.accessible("invocations");
  await choose(page, "Start", "Cold starts");
  await row("warm").waitFor({ state: "detached" });
  await row("cold").waitFor();
  assert.equal(await table.getByText("warm", { exact: true }).count(), 0);
  await choose(page, "Start", "All starts");
  await choose(page, "Result", "Failed");
  await page.getByRole("heading", { name: `Invocations (${given.errors}/${all})` }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: `Invocations (${given.errors}/${all})` }).waitFor();
  await row("failed").getByRole("link").click();
  await line(page, "[ERROR] ValueError: no good").waitFor();
  assert.equal(await line(page, "Task timed out").count(), 0);
  await page.goBack();
  await table.getByRole("columnheader", { name: "Duration", exact: true }).getByRole("button").first().click();
  await row("late").waitFor();
}
