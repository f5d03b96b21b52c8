// Lines of a log: in JSON, very many, none yet, and those of a test.

import assert from "node:assert/strict";
import { active, logLine, openTab, test } from "../steps.mjs";

export default async function (stage) {
  await structured(stage);
  await many(stage);
  await nothingYet(stage);
  await ofATest(stage);
}

/** A log in JSON, whose lines are unfolded, in the dark and in a narrow window. */
async function structured(stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/structured/monitor/logs"));
  await logLine(page, "a careful word").getByRole("button").click();
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
  await logLine(page, "platform.report").first().waitFor();
  await stage.ask({ name: "structured", event: { lines: 25000 } });
  await page.getByRole("heading", { name: "Logs (20,000)" }).waitFor();
  await page.getByText(/ lines made room for later ones/).waitFor();
  assert.ok(await page.getByRole("row").count() < 100);
  const region = page.getByRole("region", { name: "Log", exact: true });
  await region.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await page.getByRole("button", { name: "To the last line" }).click();
  await logLine(page, "platform.report").last().waitFor();
}

async function nothingYet(stage) {
  const { page } = stage;
  stage.expect(/status of 400/);
  await page.goto(stage.address("us-east-1/functions/quiet/monitor/logs"));
  await page.getByText("There is no log yet").waitFor();
  await stage.accessible("no log yet");
  await page.getByRole("tab", { name: "Invocations" }).click();
  await page.getByText("No invocations").waitFor();
  await page.goBack();
  await page.getByText("There is no log yet").waitFor();
  await stage.ask({ name: "quiet", event: { mark: "the first" } });
  await logLine(page, "the first").first().waitFor();
}

/** From what came of a test to its log. */
async function ofATest(stage) {
  const { page } = stage;
  await openTab(page, "Test");
  await active(page);
  await test(page);
  await page.getByRole("link", { name: "Logs of this request" }).click();
  await page.getByRole("heading", { name: "Logs of a request" }).waitFor();
  await logLine(page, "seen {").waitFor();
  await logLine(page, "REPORT RequestId").waitFor();
}
