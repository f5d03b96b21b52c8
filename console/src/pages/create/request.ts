/** What somebody filled in, and what is wrong with it. Pure. Sources of rules: the API's constraints of CreateFunction. */

import type { PackageFile } from "../../packages/files";

export type Start = "scratch" | "blueprint" | "upload";

export interface Form {
  readonly start: Start;
  readonly name: string;
  readonly blueprint: string;
  readonly runtime: string;
  readonly handler: string;
  readonly roleFrom: "new" | "given";
  readonly role: string;
  readonly description: string;
}

/** A zip as it came, or files that are zipped here. */
export type Upload = { readonly zip: Uint8Array; readonly name: string } | { readonly files: readonly PackageFile[] };

/** What CreateFunction takes in a request: 50 MB. */
export const LARGEST_UPLOAD = 50 * 1024 * 1024;

export type Problems = Partial<Record<"name" | "handler" | "role" | "upload", string>>;

export function problemsOf(form: Form, upload: Upload | undefined, zipSize: number): Problems {
  const found: Problems = {};
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(form.name)) {
    found.name = "A name has 1 to 64 characters: letters without accents, digits, hyphens and underscores.";
  }
  if (form.start !== "blueprint" && !/^\S{1,128}$/.test(form.handler)) found.handler = "Give a handler, without spaces.";
  if (form.roleFrom === "given" && !/^arn:aws[a-zA-Z-]*:iam::\d{12}:role\/\S+$/.test(form.role)) {
    found.role = "Give the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME.";
  }
  if (form.start === "upload" && upload === undefined) found.upload = "Choose a zip file or a folder.";
  if (form.start === "upload" && zipSize > LARGEST_UPLOAD) found.upload = "The package is larger than 50 MB, the most that can be uploaded.";
  return found;
}
