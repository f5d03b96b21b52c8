// Runs one scenario in a headless browser: `node run.mjs NAME`, with what it is given as JSON in SCENARIO: `chromium`, an
// empty directory as `profile`, and what the scenario reads.
//
// A scenario is a function of a Stage. Any line on the browser's console that warns, any refused resource and any
// exception in the page fails it, unless the scenario says what it expects. Ends with status 0 and a last line of JSON.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { accessible } from "./accessible.mjs";

const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const TIMEOUT = 20_000;
/** Of a whole scenario: then something waits for what never comes. */
const LONGEST = 100_000;

const given = JSON.parse(process.env.SCENARIO ?? "{}");
const name = process.argv[2];
const answers = createInterface({ input: process.stdin });
const faults = [], checked = [], expected = [];

/** What a scenario works with. */
class Stage {
  constructor(page) {
    this.page = page;
    this.given = given;
  }

  address(path = "") {
    return `${given.url}/_ingle/console/${path}`;
  }

  /** Lines that the console may have from now on: browsers write one for every answer that is an error. */
  expect(pattern) {
    expected.push(pattern);
  }

  /** Fails where axe finds anything. */
  async accessible(what) {
    checked.push(what);
    await accessible(this.page, what);
  }

  /** Asks the test that runs this to do something, and waits until it is done. */
  async ask(what) {
    const done = new Promise((resolve) => answers.once("line", resolve));
    console.log(JSON.stringify({ ask: what }));
    return done;
  }
}

const browser = await chromium.launchPersistentContext(given.profile, {
  executablePath: given.chromium, headless: true, args: QUIET, viewport: { width: 1280, height: 900 }, colorScheme: "light",
  acceptDownloads: true, reducedMotion: "reduce", timeout: 60_000,
});
let failure;
setTimeout(() => void browser.close(), LONGEST).unref();
try {
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(TIMEOUT);
  page.on("console", (line) => ["error", "warning"].includes(line.type()) && faults.push(`${line.type()}: ${line.text()} (${line.location().url}:${line.location().lineNumber}:${line.location().columnNumber})`));
  page.on("pageerror", (error) => faults.push(`exception: ${error.stack}`));
  const { default: scenario } = await import(`./scenarios/${name}.mjs`);
  await scenario(new Stage(page));
  const unexpected = faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)));
  if (unexpected.length > 0) throw new Error(`the console has lines:\n${unexpected.join("\n")}`);
} catch (error) {
  failure = error;
  console.error(error);
  const page = browser.pages()[0];
  console.error(`at ${page?.url()}, console: ${JSON.stringify(faults)}`);
  console.error((await page?.locator("body").innerText({ timeout: 2000 }).catch(() => ""))?.slice(0, 3000));
} finally {
  await browser.close();
  answers.close();
}
console.log(JSON.stringify({ checked }));
process.exitCode = failure ? 1 : 0;
