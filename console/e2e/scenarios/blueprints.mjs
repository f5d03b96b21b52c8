// Every blueprint runs at once.

import assert from "node:assert/strict";
import { fromBlueprint, openTab, shown, test } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  await fromBlueprint(stage, "HTTP at a function URL", "at-url", given.python);
  const told = await page.getByText("The function can be called at").innerText();
  assert.match(told, /http:\/\/[a-z0-9]+\.lambda-url\.us-east-1\./);
  assert.match(await stage.ask({ call: told.match(/http\S+/)[0] }), /"method": "GET"/);
  await fromBlueprint(stage, "Custom runtime", "custom");
  await succeeds(page, /"shell": "Bash/);
  if (!given.node) return;
  await fromBlueprint(stage, "Hello in Node.js", "hello-node", given.node);
  await succeeds(page, /Hello, Ingle!/);
  await fromBlueprint(stage, "Response streaming", "streaming", given.node);
  await openTab(page, "Test");
  await page.getByRole("radio", { name: "Stream the answer" }).check();
  await test(page);
  // A part of it, while the rest is not there yet.
  await page.getByRole("region", { name: "Payload so far" }).getByText(/^One part(?!.*other)/).waitFor();
  await page.getByText("Succeeded").first().waitFor();
  assert.equal((await shown(page, "Payload")).trim(), "One part after the other.");
}

async function succeeds(page, pattern) {
  await openTab(page, "Test");
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  assert.match(await shown(page, "Payload"), pattern);
}
