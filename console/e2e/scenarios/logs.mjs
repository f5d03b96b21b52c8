// A function's log: while it runs, searched, by request, around a moment. More of it is in `lines.mjs`.

import assert from "node:assert/strict";
import { choose, logLine } from "../steps.mjs";

export default async function (stage) {
  await watched(stage);
  await searched(stage);
  await byRequest(stage);
  await around(stage);
}

/** How many lines there are, of which only those in sight are made. */
async function counted(page, count) {
  await page.getByRole("heading", { name: `Logs (${count})` }).waitFor();
}

async function search(page, text) {
  await page.getByRole("searchbox", { name: "Search" }).fill(text);
  await page.keyboard.press("Enter");
}

/** What is written while somebody watches. */
async function watched(stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/watched/monitor/logs"));
  await logLine(page, "REPORT RequestId").first().waitFor();
  await stage.accessible("a log");
  await stage.ask({ event: { mark: "while watched" } });
  await logLine(page, "seen {'mark': 'while watched'}").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused").waitFor();
  await stage.ask({ event: { mark: "while paused" } });
  assert.equal(await logLine(page, "while paused").count(), 0);
  await page.getByRole("button", { name: "Resume" }).click();
  await logLine(page, "seen {'mark': 'while paused'}").waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByText("No lines.").waitFor();
  await stage.ask({ event: { mark: "after clearing" } });
  await logLine(page, "seen {'mark': 'after clearing'}").waitFor();
  assert.equal(await logLine(page, "while paused").count(), 0);
}

async function searched(stage) {
  const { page, given } = stage;
  await search(page, "mark");
  await counted(page, 3);
  await stage.ask({ event: { mark: "found, too" } });
  await logLine(page, "found, too").waitFor();
  await page.reload();
  await counted(page, 4);
  stage.expect(/status of 400/);
  await search(page, "{ $.level");
  await page.getByText("Invalid filter pattern").waitFor();
  await page.getByRole("button", { name: "Clear the search" }).click();
  await choose(page, "Level", "ERROR and above");
  await logLine(page, "[ERROR] ValueError: no good").waitFor();
  await counted(page, given.errors);
  await choose(page, "Level", "All levels");
  await choose(page, "Version", "Version 1");
  await logLine(page, "START RequestId").first().waitFor();
  assert.equal(await logLine(page, "Version: $LATEST").count(), 0);
  await choose(page, "Version", "All versions");
}

async function byRequest(stage) {
  const { page, given } = stage;
  await page.getByText("Group by request").click();
  const region = page.getByRole("region", { name: "Log", exact: true });
  await region.evaluate((element) => element.scrollTo(0, 0));
  const cold = logLine(page, given.ids.cold).filter({ has: page.getByRole("button", { name: /^Request / }) });
  await cold.getByText("cold", { exact: true }).waitFor();
  await cold.getByRole("button").click();
  assert.equal(await page.getByRole("button", { name: `Request ${given.ids.cold}` }).getAttribute("aria-expanded"), "false");
  await stage.accessible("a log by request");
  await cold.getByRole("link", { name: given.ids.cold }).click();
  await page.getByRole("heading", { name: "Logs of a request" }).waitFor();
  await page.getByText(`Request ${given.ids.cold}`, { exact: true }).waitFor();
  await logLine(page, "REPORT RequestId").waitFor();
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
