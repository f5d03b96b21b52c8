// Asynchronous invocation: how long and how often it is tried, and where its results go.

import assert from "node:assert/strict";
import { active, choose, confirm, edit, save, section } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  stage.expect(/status of 400/);
  await page.goto(stage.address("us-east-1/functions/eventful/configuration/asynchronous"));
  await active(page);
  await tries(stage);
  await deadLetters(stage);
  await section(page, "Destinations");
  await destinations(stage);
  await page.goto(stage.address("us-east-1/functions/eventful:live/configuration/asynchronous"));
  await ofAlias(stage);
}

async function tries(stage) {
  const { page } = stage;
  await page.getByText("6 h (default)").waitFor();
  await edit(page, "Asynchronous invocation");
  await page.getByLabel("Maximum age of event, hours").fill("0");
  await page.getByLabel("Maximum age of event, seconds").fill("59");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("From 1 minute to 6 hours.", { exact: true }).waitFor();
  await stage.accessible("asynchronous invocation, with a mistake");
  await page.getByLabel("Maximum age of event, minutes").fill("2");
  await page.getByLabel("Maximum age of event, seconds").fill("3");
  await choose(page, "Retry attempts", "1");
  await save(page, "Asynchronous invocation");
  await page.getByText("2 min 3 s").waitFor();
}

async function deadLetters(stage) {
  const { page } = stage;
  await edit(page, "Dead-letter queue");
  await choose(page, "Dead-letter queue service", "Amazon SQS");
  await page.getByLabel("SQS queue ARN").fill("arn:aws:sqs:us-east-1:000000000000:dead.fifo");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/The dead letter target .* is invalid/).waitFor();
  await page.getByLabel("SQS queue ARN").fill("arn:aws:sqs:us-east-1:000000000000:dead");
  await save(page, "Dead-letter queue");
  await page.getByText("Amazon SQS", { exact: true }).waitFor();
  await active(page);
}

async function add(page, condition, kind, arn) {
  await page.getByRole("button", { name: "Add destination" }).click();
  await page.getByRole("radio", { name: condition }).check();
  await choose(page, "Destination type", kind);
  await page.getByLabel("Destination ARN").fill(arn);
  await page.keyboard.press("Escape");
}

async function destinations(stage) {
  const { page } = stage;
  await page.getByText("Results go nowhere.").waitFor();
  await add(page, "On failure", "S3 bucket", "text");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Give an ARN like arn:aws:s3:::BUCKET.").waitFor();
  await stage.accessible("a destination, with a mistake");
  await page.getByRole("radio", { name: "On success" }).check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Buckets take failures only.").waitFor();
  await page.getByRole("radio", { name: "On failure" }).check();
  await page.getByLabel("Destination ARN").fill("arn:aws:s3:::failed");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("row", { name: /arn:aws:s3:::failed S3 bucket On failure \$LATEST/ }).waitFor();
  await toFunction(stage);
  await page.getByRole("button", { name: "Edit $LATEST, on failure" }).click();
  await choose(page, "Destination type", "EventBridge event bus");
  await page.getByLabel("Destination ARN").fill("arn:aws:events:us-east-1:000000000000:event-bus/failed");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("row", { name: /EventBridge event bus On failure/ }).waitFor();
  await stage.accessible("destinations");
}

/** The function itself is refused by the API, another one is found in the list, and gets what becomes of an event. */
async function toFunction(stage) {
  const { page } = stage;
  await add(page, "On success", "Lambda function", "arn:aws:lambda:us-east-1:000000000000:function:eventful");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("You can't specify the function as a destination for itself.").waitFor();
  await page.getByLabel("Destination ARN").fill("");
  await page.getByRole("option", { name: /function:told$/ }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("row", { name: /function:told Lambda function On success \$LATEST/ }).waitFor();
  await stage.ask("deliver");
}

async function ofAlias(stage) {
  const { page } = stage;
  await page.getByText("6 h (default)").waitFor();
  assert.equal(await page.getByRole("button", { name: "Edit Dead-letter queue" }).getAttribute("aria-disabled"), "true");
  await edit(page, "Asynchronous invocation");
  await choose(page, "Retry attempts", "0");
  await save(page, "Asynchronous invocation");
  await page.getByText("6 h", { exact: true }).waitFor();
  await section(page, "Destinations");
  await add(page, "On success", "SNS topic", "arn:aws:sns:us-east-1:000000000000:done");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Remove live, on success" }).click();
  await confirm(page, "Remove");
  await page.getByText("The destination is removed.").waitFor();
  await page.getByRole("button", { name: "Remove live, on success" }).waitFor({ state: "detached" });
}
