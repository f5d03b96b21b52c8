// What scenarios do on the pages of the account.

/** Of the navigation. */
export async function part(page, name) {
  await page.getByRole("link", { name, exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

/** With a name, in a dialog. */
export async function create(page, what, label, name) {
  await page.getByRole("button", { name: `Create ${what}` }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(label).fill(name);
  await dialog.getByRole("button", { name: `Create ${what}` }).click();
  await dialog.waitFor({ state: "detached" });
}
