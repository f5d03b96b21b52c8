// What a function did: its graphs and its invocations. Its log is in `logs.mjs`.

import assert from "node:assert/strict";
import { active, choose, logLine, openTab } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/watched"));
  await active(page);
  await metrics(stage);
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

async function invocations(stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/functions/watched/monitor/invocations"));
  const table = page.getByRole("table", { name: "Invocations" });
  const row = (name) => table.getByRole("row").filter({ hasText: given.ids[name] });
  const all = given.invocations;
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
  await logLine(page, "[ERROR] ValueError: no good").waitFor();
  assert.equal(await logLine(page, given.ids.late).count(), 0);
  await page.goBack();
  await table.getByRole("columnheader", { name: "Duration", exact: true }).getByRole("button").first().click();
  await row("late").waitFor();
}
