// With limited rights: what is denied is said and the rest works. A role is switched to. A session that is over is said.

import assert from "node:assert/strict";
import { accountMenu, signIn } from "../steps.mjs";

export default async function (stage) {
  const { page, given } = stage;
  stage.expect(/status of 40[03]/);
  await page.goto(stage.address("us-east-1/account/users/limited"));
  await signIn(page, given.key, given.secret);
  await denied(stage);
  await whoAmI(stage);
  await switched(stage);
  await over(stage);
}

/** Each part for itself. */
async function denied(stage) {
  const { page } = stage;
  await page.getByText(/is not authorized to perform: iam:ListAccessKeys/).waitFor();
  await page.getByText(/is not authorized to perform: iam:ListAttachedUserPolicies/).waitFor();
  await page.getByText(/is not authorized to perform: iam:ListGroupsForUser/).waitFor();
  await page.getByRole("main").getByText("arn:aws:iam::000000000000:user/limited", { exact: true }).waitFor();
  await stage.accessible("a user with limited rights");
  for (const [section, action] of [
    ["overview", "lambda:GetAccountSettings"], ["users", "iam:ListUsers"], ["groups", "iam:ListGroups"], ["policies", "iam:ListPolicies"],
    ["roles", "iam:ListRoles"], ["keys", "kms:ListKeys"], ["environments", "ingle:ListEnvironments"],
    ["audit", "ingle:ListAuditRecords"], ["host", "ingle:DescribeHost"],
  ]) {
    await page.goto(stage.address(`us-east-1/account/${section}`));
    await page.getByText("You are not allowed to do this").first().waitFor();
    await page.getByText(`is not authorized to perform: ${action}`).first().waitFor();
  }
  await stage.accessible("a section that is denied");
  await page.goto(stage.address("us-east-1/account"));
  await page.getByText("is not authorized to perform: ingle:DescribeConcurrency").waitFor();
}

async function whoAmI(stage) {
  const { page, given } = stage;
  await accountMenu(page, "Who am I");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("arn:aws:iam::000000000000:user/limited").waitFor();
  await dialog.getByText(given.key).waitFor();
  await stage.accessible("who somebody is");
  await dialog.getByRole("link", { name: "arn:aws:iam::000000000000:user/limited" }).click();
  await page.getByRole("heading", { level: 1, name: "limited" }).waitFor();
}

/** To a role and back, and back by itself when the role's session is over. */
async function switched(stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/account/users"));
  for (const _ of [1, 2]) {
    await accountMenu(page, "Switch role");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Role ARN").fill("arn:aws:iam::000000000000:role/absent");
    await dialog.getByRole("button", { name: "Switch role" }).click();
    await dialog.getByText(/is not authorized to perform: sts:AssumeRole/).waitFor();
    await dialog.getByLabel("Role ARN").fill(given.role);
    await dialog.getByRole("button", { name: "Switch role" }).click();
    await page.getByRole("link", { name: "limited" }).waitFor();
    if (_ === 1) {
      await page.reload();
      await page.getByRole("link", { name: "limited" }).waitFor();
      await accountMenu(page, "Switch back to user/limited");
      await page.getByText(/is not authorized to perform: iam:ListUsers/).waitFor();
    }
  }
  await stage.ask("delete the role");
  await page.getByRole("button", { name: "Refresh users" }).click();
  await page.getByText(/The session of arn:aws:sts::000000000000:assumed-role\/.* is over/).waitFor();
  await page.getByText(/is not authorized to perform: iam:ListUsers/).waitFor();
}

/** The key is gone: the sign-in page says why, and leads back to where one was. */
async function over(stage) {
  const { page, given } = stage;
  await page.goto(stage.address("us-east-1/account/keys"));
  await page.getByText(/is not authorized to perform: kms:ListKeys/).waitFor();
  await stage.ask("delete the key");
  await page.getByRole("button", { name: "Refresh KMS keys" }).click();
  await page.getByText("Your session is over").waitFor();
  await page.getByText(/UnrecognizedClientException|InvalidClientTokenId/).waitFor();
  await stage.accessible("a session that is over");
  assert.match(page.url(), /\/account\/keys$/);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await signIn(page, given.other, given.otherSecret);
  await page.getByText("There is no key in this account and region.").waitFor();
  assert.match(page.url(), /\/account\/keys$/);
}
