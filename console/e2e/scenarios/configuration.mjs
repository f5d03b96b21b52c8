// Every kind of setting of a function, changed in the page and read back.

import { active, edit, save } from "../steps.mjs";

export default async function (stage) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/functions/settled/configuration"));
  await active(page);
  await general(stage);
}

async function general(stage) {
  const { page } = stage;
  await edit(page, "General configuration");
  await page.getByLabel("Memory (MB)").fill("64");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("A whole number from 128 to 10240.").waitFor();
  await stage.accessible("general settings, with a mistake");
  await page.getByLabel("Memory (MB)").fill("256");
  await page.getByLabel("Ephemeral storage (MB)").fill("1024");
  await page.getByLabel("Timeout (seconds)").fill("17");
  await page.getByLabel("Description - optional").fill("set in the page");
  await save(page, "General configuration");
  await page.getByText("256 MB", { exact: true }).waitFor();
  await active(page);
}
