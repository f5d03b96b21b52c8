// What several scenarios do.

/** `option`: its whole text, or a pattern. */
export async function choose(page, label, option) {
  await page.getByRole("button", { name: label }).or(page.getByRole("combobox", { name: label })).first().click();
  // Not by coordinates: a list that just opened may still move to where there is room, between the button's down and up.
  await page.getByRole("option", { name: option, exact: true }).dispatchEvent("mouseup");
}

/** Fills the page for a new function from a blueprint in, and waits until the function is active. */
export async function fromBlueprint(stage, title, name, runtime) {
  const { page } = stage;
  await page.goto(stage.address("us-east-1/create"));
  await page.getByRole("radio", { name: "From a blueprint" }).check();
  await page.getByRole("radio", { name: title }).check();
  await page.getByLabel("Function name").fill(name);
  if (runtime) await choose(page, "Runtime", runtime);
  await page.getByRole("button", { name: "Create function" }).click();
  await page.getByText(`The function ${name} is created.`).waitFor();
  await active(page);
}

export async function active(page) {
  await page.getByText("Active", { exact: true }).waitFor();
}

export async function openTab(page, name) {
  await page.getByRole("tab", { name }).click();
}

export async function test(page) {
  await page.getByRole("button", { name: "Test", exact: true }).click();
}

/** The text of the result's payload, or of its log. */
export async function shown(page, label) {
  return page.getByRole("region", { name: label, exact: true }).innerText();
}

export async function replaceText(page, label, text) {
  const editor = page.getByRole("textbox", { name: label });
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

/** In the dialog that deletes functions. */
export async function confirmDeletion(dialog) {
  await dialog.getByLabel("To confirm, type delete").fill("delete");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
}

/** Goes to another section of the tab. */
export async function section(page, title) {
  await page.getByRole("link", { name: title, exact: true }).click();
}

/** Opens the form of a group of settings. */
export async function edit(page, title) {
  await page.getByRole("button", { name: `Edit ${title}` }).click();
}

/** Saves the form that is open, and waits until it says so. */
export async function save(page, title) {
  const button = page.getByRole("button", { name: "Save", exact: true });
  await button.click();
  await button.waitFor({ state: "hidden" });
  // One that was saved before may still say so.
  await page.getByText(`${title}: saved.`).first().waitFor();
}

/** Has the page in another theme, as somebody would choose it: `Dark`, `Light`. */
export async function appear(page, theme) {
  await page.getByRole("button", { name: "Appearance" }).click();
  await page.getByRole("menuitemcheckbox", { name: theme, exact: true }).click();
}

/** Answers the dialog of a button for what cannot be taken back. */
export async function confirm(page, button) {
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
}

export async function signIn(page, key, secret, { keep = true, token } = {}) {
  await page.getByLabel("Access key ID").fill(key);
  await page.getByLabel("Secret access key").fill(secret);
  if (token) await page.getByLabel("Session token - optional").fill(token);
  await page.getByRole("checkbox", { name: /Stay signed in/ }).setChecked(keep);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Of the menu of who is signed in. */
export async function accountMenu(page, item) {
  await page.getByRole("button", { name: /^Account \d{12}/ }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

/** Lines of a log that are in sight and have a text. */
export function logLine(page, text) {
  return page.getByRole("table", { name: "Lines of the log" }).getByRole("row").filter({ hasText: text });
}
