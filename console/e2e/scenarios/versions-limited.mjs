// Versions, aliases and layers for somebody who may do little of it: what is denied leaves the rest as it is.

import { openTab, signIn } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  stage.expect(/status of 40[34]/);
  await page.goto(stage.address("us-east-1/functions/numbered/versions"));
  await signIn(page, given.key, given.secret);
  await page.getByRole("row", { name: /the first/ }).waitFor();
  await page.getByText("Aliases cannot be read").waitFor();
  await page.getByText("Provisioned concurrency cannot be read").waitFor();
  await stage.accessible("versions with limited rights");
  await page.getByRole("button", { name: "Publish new version" }).click();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByText(/is not authorized to perform: lambda:PublishVersion/).waitFor();
  await openTab(page, "Aliases");
  await page.getByText(/is not authorized to perform: lambda:ListAliases/).waitFor();
  await page.getByText("The aliases could not be read.").waitFor();
  await page.getByRole("link", { name: "Layers", exact: true }).click();
  await page.getByRole("link", { name: "tools" }).click();
  await page.getByText(/is not authorized to perform: lambda:GetLayerVersion /).waitFor();
  await page.getByText(/is not authorized to perform: lambda:GetLayerVersionPolicy/).waitFor();
  await page.getByText("1 (shown above)").waitFor();
  await stage.accessible("a layer with limited rights");
}
