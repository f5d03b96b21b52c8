// Somebody who may see a function, and neither its metrics nor its log.

export default async function (stage) {
  const { page, given } = stage;
  stage.expect(/status of 40[03]/);
  await page.goto(stage.address("us-east-1/functions/watched/monitor"));
  await page.getByLabel("Access key ID").fill(given.key);
  await page.getByLabel("Secret access key").fill(given.secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("is not authorized to perform: cloudwatch:GetMetricData").waitFor();
  await page.getByText("Versions and aliases with figures cannot be listed").waitFor();
  await stage.accessible("metrics that are denied");
  await page.getByRole("tab", { name: "Logs" }).click();
  await page.getByText("is not authorized to perform: logs:FilterLogEvents").waitFor();
  await page.getByText("You are not allowed to do this").waitFor();
  await stage.accessible("a log that is denied");
  await page.getByRole("tab", { name: "Invocations" }).click();
  await page.getByText("is not authorized to perform: logs:FilterLogEvents").waitFor();
}
