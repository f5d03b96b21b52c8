/** The files of a deployment package, as the console changes them. Pure. */

export interface PackageFile {
  readonly path: string;
  readonly data: Uint8Array;
  /** Type and permissions as Unix has them. */
  readonly mode: number;
}

export const PLAIN = 0o100644;
export const EXECUTABLE = 0o100755;
const KIND = 0o170000;
const LINK = 0o120000;
const SHEBANG = [0x23, 0x21];

/** Larger files are not edited in the browser. */
export const LARGEST_TEXT = 1 << 20;

export type Content =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "large" | "binary" | "link" };

export function contentOf(file: PackageFile): Content {
  if ((file.mode & KIND) === LINK) return { kind: "link" };
  if (file.data.length > LARGEST_TEXT) return { kind: "large" };
  if (file.data.includes(0)) return { kind: "binary" };
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file.data) };
  } catch {
    return { kind: "binary" };
  }
}

export function textFile(path: string, text: string, mode?: number): PackageFile {
  return withMode(path, new TextEncoder().encode(text), mode);
}

/** Browsers do not tell permissions: what says how it is executed, is executable. */
export function withMode(path: string, data: Uint8Array, mode?: number): PackageFile {
  const script = data[0] === SHEBANG[0] && data[1] === SHEBANG[1];
  return { path, data, mode: mode ?? (script || path === "bootstrap" ? EXECUTABLE : PLAIN) };
}

/** What is wrong with a path for a new file beside these, if anything. */
export function pathProblem(path: string, existing: Iterable<string>): string | undefined {
  if (path === "") return "Give a name.";
  if (path.startsWith("/") || path.endsWith("/")) return "A path neither starts nor ends with a slash.";
  if (/[\\\0-\x1f]/.test(path)) return "Backslashes and control characters are not possible.";
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return "Every part of a path has a name.";
  }
  for (const other of existing) {
    if (other === path) return `${path} exists already.`;
    if (other.startsWith(`${path}/`)) return `${path} is a folder.`;
    if (path.startsWith(`${other}/`)) return `${other} is a file.`;
  }
  return undefined;
}
