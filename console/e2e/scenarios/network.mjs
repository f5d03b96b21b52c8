// The private network of a function and its file system; or, where `given.refused`, a server that has no networks.

import assert from "node:assert/strict";
import { active, confirm, edit, save } from "../steps.mjs";

const SECTION = "us-east-1/functions/attached/configuration/";

export default async function (stage) {
  await stage.page.goto(stage.address(`${SECTION}vpc`));
  if (stage.given.refused) return refused(stage);
  await active(stage.page);
  await attach(stage);
  await fileSystem(stage);
  await change(stage);
  await detach(stage);
}

async function attach(stage) {
  const { page, given } = stage;
  await page.getByText("In no VPC").waitFor();
  await edit(page, "VPC");
  await pick(page, /^VPC/, `${given.vpc} - apps`);
  await pick(page, /Subnets/, `${given.subnets[0]} - near`);
  await page.getByText("251 free addresses").first().waitFor({ state: "attached" });
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Choose 1 to 5 security groups.").waitFor();
  await stage.accessible("a network, with a mistake");
  await pick(page, /Security groups/, `${given.groups[0]} - databases`);
  await page.keyboard.press("Escape");
  await reached(page, "The security groups let out: TCP 5432 to 10.7.0.0/16.");
  await reached(page, `by the NAT gateway ${given.gateway}`);
  await pick(page, /Security groups/, `${given.groups[1]} - web`);
  await page.keyboard.press("Escape");
  await reached(page, "TCP 5432 to 10.7.0.0/16; TCP 443 to 0.0.0.0/0");
  await save(page, "VPC");
  await active(page);
  const rules = page.getByRole("table", { name: "Effective rules" });
  await rules.getByRole("row", { name: /Outbound TCP 443/ }).waitFor();
  await rules.getByRole("row", { name: /Inbound TCP 80/ }).waitFor();
  await page.getByRole("table", { name: "Subnets" }).getByRole("row", { name: /near us-east-1a 10\.7\.0\.0\/24/ }).waitFor();
  await stage.accessible("a network");
}

async function pick(page, field, option) {
  await page.getByRole("button", { name: field }).click();
  await page.getByRole("option", { name: option }).click();
}

async function reached(page, text) {
  await page.getByRole("list", { name: "What the function reaches" }).getByText(text).waitFor();
}

async function fileSystem(stage) {
  const { page, given } = stage;
  await page.goto(stage.address(`${SECTION}file-systems`));
  await page.getByRole("button", { name: "Add File system" }).click();
  await page.getByLabel("Access point ARN").fill(given.accessPoint);
  await page.getByLabel("Local mount path").fill("/data");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("A directory directly in /mnt").waitFor();
  await stage.accessible("a file system, with a mistake");
  await page.getByLabel("Local mount path").fill("/mnt/data");
  await save(page, "File system");
  await active(page);
  assert.equal(await stage.ask("write"), "written");
  await edit(page, "File system");
  await page.getByLabel("Local mount path").fill("/mnt/shared");
  await save(page, "File system");
  await page.getByText("/mnt/shared", { exact: true }).waitFor();
  await active(page);
}

/** To another subnet, which no route leads out of. */
async function change(stage) {
  const { page, given } = stage;
  await page.goto(stage.address(`${SECTION}vpc`));
  await edit(page, "VPC");
  await page.getByRole("button", { name: `Remove ${given.subnets[0]} - near` }).click();
  await pick(page, /Subnets/, `${given.subnets[1]} - far`);
  await page.keyboard.press("Escape");
  await reached(page, "The internet (0.0.0.0/0): no route leads there.");
  await page.getByLabel("Allow IPv6 traffic for dual-stack subnets").check();
  // The API judges it.
  stage.expect(/status of 400/);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Ipv6AllowedForDualStack can be true only if every subnet").waitFor();
  await page.getByLabel("Allow IPv6 traffic for dual-stack subnets").uncheck();
  await save(page, "VPC");
  await active(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 420, height: 900 });
  await page.getByRole("heading", { name: "Effective rules" }).waitFor();
  await stage.accessible("a network in the dark, narrow");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the network scrolls sideways");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function detach(stage) {
  const { page } = stage;
  await page.getByRole("button", { name: "Detach", exact: true }).click();
  await confirm(page, "Detach");
  await page.getByText("Function must be configured to execute in a VPC").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.goto(stage.address(`${SECTION}file-systems`));
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await confirm(page, "Remove");
  await page.getByText("No file system.").waitFor();
  await active(page);
  await page.goto(stage.address(`${SECTION}vpc`));
  await page.getByRole("button", { name: "Detach", exact: true }).click();
  await confirm(page, "Detach");
  await page.getByText("In no VPC").waitFor();
  await page.goto(stage.address(`${SECTION}file-systems`));
  await page.getByText("No file system. A file system needs a VPC").waitFor();
  await stage.accessible("no file system, for want of a network");
}

async function refused(stage) {
  const { page } = stage;
  await page.getByText("The function cannot run in this network").waitFor();
  await page.getByText("This server does not enforce networks").waitFor();
  await page.getByText(/This server cannot enforce security groups/).first().waitFor();
  await page.getByRole("heading", { name: "Effective rules" }).waitFor();
  await stage.accessible("a network that the server refuses");
}
