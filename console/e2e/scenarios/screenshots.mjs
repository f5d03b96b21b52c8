// The pictures of docs/console.md.

import { fromBlueprint, openTab, replaceText, section, test } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  const take = (name, part = page, clip = undefined) => part.screenshot({ path: `${given.pictures}/${name}.png`, animations: "disabled", clip });
  await page.goto(stage.address("us-east-1/functions"));
  await page.getByRole("link", { name: "thumbnails" }).waitFor();
  await page.getByText("team: media").waitFor();
  await take("functions");
  await page.goto(stage.address("us-east-1/create"));
  await page.getByRole("radio", { name: "From a blueprint" }).check();
  await page.getByLabel("Function name").fill("hello");
  await take("create");
  await fromBlueprint(stage, "Hello in Python", "hello", given.python);
  await page.getByRole("button", { name: "Dismiss" }).first().click();
  await page.getByRole("textbox", { name: "Text of lambda_function.py" }).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("# Not deployed yet.\n");
  await page.getByText("1 file changed, not deployed").waitFor();
  await take("code");
  await openTab(page, "Test");
  await replaceText(page, "Event JSON", '{\n  "name": "you"\n}\n');
  await test(page);
  await page.getByText("Succeeded").first().waitFor();
  await page.getByRole("heading", { name: "Result" }).scrollIntoViewIfNeeded();
  await page.mouse.wheel(0, 500);
  await take("test");
  await monitor(stage, take);
  await settings(stage, take);
  await page.setViewportSize({ width: 1280, height: 1320 });
  await permissions(stage, "hello");
  await take("permissions", page.locator(".sections"));
  await page.goto(stage.address("us-east-1/functions/orders/configuration/vpc"));
  await page.getByRole("heading", { name: "Effective rules" }).waitFor();
  await take("network", page.locator(".sections"));
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(stage.address("us-east-1/account/environments"));
  await page.getByRole("row", { name: /hello/ }).waitFor();
  await take("account");
  await page.goto(stage.address("us-east-1/account/host"));
  await page.getByRole("table", { name: "Checks" }).waitFor();
  await take("account-host");
  await page.goto(stage.address("us-east-1/functions/orders-staging/versions/1...2"));
  await page.getByRole("textbox", { name: "Changes of app.py" }).waitFor();
  await page.evaluate(() => scrollTo({ top: 430, behavior: "instant" }));
  await take("versions");
  await page.goto(stage.address("us-east-1/functions/orders-staging/aliases/live"));
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("Of 20 invocations").waitFor();
  await page.getByRole("row", { name: "1 75 % 1" }).waitFor();
  await page.evaluate(() => scrollTo({ top: 200, behavior: "instant" }));
  await take("alias");
  await page.goto(stage.address("us-east-1/functions/orders-staging"));
  await page.getByRole("textbox", { name: "Text of app.py" }).waitFor();
  await page.getByRole("button", { name: "Edit Layers" }).click();
  await page.getByText("money, version 1").waitFor();
  await page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
  await take("layers");
  await page.goto(`${given.locked}/_ingle/console/`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await take("sign-in");
}

/** Of a function that ran. */
async function monitor(stage, take) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/mail/monitor/logs?by=request"));
  await page.getByText("nobody is less than nobody").waitFor();
  await page.getByRole("heading", { name: /^Logs/ }).scrollIntoViewIfNeeded();
  await page.mouse.wheel(0, 300);
  await page.getByRole("row").filter({ hasText: "nobody is less than nobody" }).getByRole("button").click();
  await page.mouse.move(0, 0);
  await take("logs", page, { x: 200, y: 160, width: 1080, height: 500 });
  await page.goto(stage.address("us-east-1/functions/mail/monitor/invocations"));
  await page.getByText("Error", { exact: true }).waitFor();
  await take("invocations");
}

/** Of a function that has many. */
async function settings(stage, take) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/orders/configuration/environment"));
  await page.getByRole("button", { name: "Show the value of LEVEL" }).click();
  await page.getByRole("button", { name: "Show the value of TABLE" }).click();
  await take("environment");
  await section(page, "Concurrency and recursion detection");
  await page.getByRole("row", { name: /Alias live Ready/ }).waitFor();
  await page.getByRole("img", { name: /^Of 1000/ }).waitFor();
  await page.getByText("Terminate", { exact: true }).waitFor();
  await take("concurrency");
}

/** A statement is added by form. */
async function permissions(stage, name) {
  const { page } = stage;
  stage.expect(/status of 404/);
  await page.goto(stage.address(`us-east-1/functions/${name}/configuration/permissions`));
  await page.getByRole("button", { name: "Add permissions" }).click();
  await page.getByLabel("Source ARN").fill("arn:aws:s3:::uploads");
  await page.getByLabel("Statement ID").fill("uploads");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("rowheader", { name: "uploads" }).waitFor();
  await page.getByRole("button", { name: "Dismiss" }).first().click();
  await page.getByRole("button", { name: "AWSLambdaBasicExecutionRole" }).waitFor();
}
