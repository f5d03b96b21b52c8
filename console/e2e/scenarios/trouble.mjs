// A server that dies and comes back, answers that are none, and errors of the API.

import { openTab, replaceText } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/absent/code"));
  stage.expect(/status of 404/);
  await page.getByText("Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent").waitFor();
  await stage.accessible("an error of the API");
  await page.goto(stage.address("us-east-1/nowhere/at/all"));
  await page.getByText("There is no page").waitFor();
  await refusedTwice(stage);
  await badAnswer(stage);
  await deadServer(stage);
}

/** A name that is taken: the role that was made for it is used when the next try succeeds. */
async function refusedTwice(stage) {
  const { page } = stage;
  stage.expect(/status of 409/);
  await page.goto(stage.address("us-east-1/create"));
  await page.getByLabel("Function name").fill("survivor");
  for (const _ of [1, 2]) {
    await page.getByRole("button", { name: "Create function" }).click();
    await page.getByText("ResourceConflictException").waitFor();
    await page.getByText("Function already exist: survivor").waitFor();
  }
}

async function badAnswer(stage) {
  const { page } = stage;
  const functions = /\/2015-03-31\/functions\/?\?/;
  await page.route(functions, (route) => route.fulfill({ status: 200, contentType: "text/html", body: "<h1>a proxy</h1>" }));
  await page.goto(stage.address("us-east-1/functions"));
  await page.getByText("The server answered something else").waitFor();
  await page.getByText(/The answer \(status 200\) cannot be understood/).waitFor();
  await stage.accessible("an answer that is none");
  await page.unroute(functions);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("link", { name: "survivor" }).waitFor();
}

async function deadServer(stage) {
  const { page } = stage;
  stage.expect(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  await page.route(/Editor-/, (route) => route.abort());
  stage.expect(/ERR_FAILED/);
  await page.getByRole("link", { name: "survivor" }).click();
  await page.getByText("The editor could not be loaded").waitFor();
  await page.unroute(/Editor-/);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await replaceText(page, "Text of app.py", "def handler(event, context):\n    return 'typed before'\n");
  await stage.ask("kill");
  await page.getByRole("button", { name: "Deploy (Ctrl+S)" }).click();
  await page.getByText("The connection to the server is lost").waitFor();
  await stage.accessible("a lost connection");
  await stage.ask("start");
  await page.getByText("The connection to the server is lost").waitFor({ state: "detached" });
  await page.getByText("1 file changed, not deployed").waitFor();
  await page.getByRole("button", { name: "Deploy (Ctrl+S)" }).click();
  await page.getByText("The code of survivor is deployed.").waitFor();
  await openTab(page, "Test");
}
