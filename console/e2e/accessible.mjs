// Axe, run in the page. Its script is evaluated by the browser's debugger, which the page's policy does not bind.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function accessible(page, what) {
  // What is under the pointer has other colours, and it is chance what that is.
  await page.mouse.move(0, 0);
  // Colours on their way are none that anybody has to read. What turns without end is not waited for.
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter((each) => each.effect?.getComputedTiming().endTime < Infinity);
    await Promise.all(ending.map((each) => each.finished.catch(() => {})));
  });
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  if (violations.length === 0) return;
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => `${node.target.join(" ")} ${node.html.slice(0, 300)}`).join("\n  ")}`);
  throw new Error(`not accessible: ${what}\n${told.join("\n")}`);
}
