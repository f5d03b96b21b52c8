// Every part of the account where nobody is asked who they are: in the dark, in a narrow window.

import assert from "node:assert/strict";

const PARTS = [
  ["overview", "Overview", "By function"], ["users", "Users", "There is no user in this account."],
  ["groups", "User groups", "There is no group in this account."], ["policies", "Policies", "AdministratorAccess"],
  ["roles", "Roles", "There is no role in this account."], ["keys", "KMS keys", "There is no key in this account and region."],
  ["environments", "Environments", "Nothing runs now"], ["audit", "Audit log", "Calls are not recorded"], ["host", "Host", "Runtimes"],
];

export default async function (stage) {
  const { page } = stage;
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 420, height: 800 });
  for (const [section, title, text] of PARTS) {
    await page.goto(stage.address(`us-east-1/account/${section}`));
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.getByText(text).first().waitFor();
    assert.equal(await page.title(), `${title} - Ingle`);
    await stage.accessible(section);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 420, section);
  }
  await host(stage);
  await page.goto(stage.address("us-east-1/account/users/nobody"));
  stage.expect(/status of 404/);
  await page.getByText("The user with name nobody cannot be found.").first().waitFor();
}

async function host({ page, given }) {
  const server = page.getByRole("main");
  await server.getByText(given.version, { exact: true }).waitFor();
  await page.getByRole("table", { name: "Runtimes" }).getByText(given.python).waitFor();
  await page.getByRole("table", { name: "Checks" }).getByText(/^(OK|Weaker|Missing)$/).first().waitFor();
  await server.getByText(/ of .* available; the server takes /).waitFor();
  await server.getByText(/ of .* free; .* are kept for what is there/).waitFor();
}
