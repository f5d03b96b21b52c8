// Settings for somebody who may see some of them: what is denied is said in its place, and the rest works.

import { edit, section } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  stage.expect(/status of 40[03]/);
  await page.goto(stage.address("us-east-1/functions/seen/configuration/concurrency"));
  await page.getByLabel("Access key ID").fill(given.key);
  await page.getByLabel("Secret access key").fill(given.secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Use unreserved account concurrency").waitFor();
  await page.getByText(/is not authorized to perform: lambda:GetAccountSettings/).waitFor();
  await page.getByText(/is not authorized to perform: lambda:ListProvisionedConcurrencyConfigs/).waitFor();
  await stage.accessible("concurrency that is seen in part");
  await section(page, "Tags");
  await page.getByText(/is not authorized to perform: lambda:ListTags/).waitFor();
  await section(page, "Environment variables");
  await edit(page, "Environment variables");
  await page.getByText("Encryption configuration").click();
  await page.getByRole("radio", { name: "Use a customer master key" }).check();
  await page.getByLabel("Customer master key", { exact: true }).click();
  await page.getByText(/The keys cannot be listed: .*kms:ListKeys/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("radio", { name: "(default) aws/lambda" }).check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/is not authorized to perform: lambda:UpdateFunctionConfiguration/).waitFor();
}
