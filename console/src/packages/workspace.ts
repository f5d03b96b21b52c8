/** A package while it is edited: its files as they are now, beside those that are deployed. Pure. */

import { type PackageFile, pathProblem, textFile, withMode } from "./files";

export type Files = ReadonlyMap<string, PackageFile>;

export interface Workspace {
  readonly deployed: Files;
  readonly files: Files;
}

export type Change = "added" | "changed" | "deleted";

export function opened(files: Iterable<PackageFile>): Workspace {
  const byPath = new Map([...files].map((file) => [file.path, file]));
  return { deployed: byPath, files: byPath };
}

export function deployedAs(workspace: Workspace, files: Files): Workspace {
  return { ...workspace, deployed: files };
}

/** The new text of a file; its permissions stay. */
export function edited(workspace: Workspace, path: string, text: string): Workspace {
  return put(workspace, textFile(path, text, workspace.files.get(path)?.mode));
}

/** With a file from elsewhere, in the place of one that has this path. */
export function uploaded(workspace: Workspace, path: string, data: Uint8Array): Workspace {
  return put(workspace, withMode(path, data, workspace.files.get(path)?.mode));
}

function put(workspace: Workspace, file: PackageFile): Workspace {
  const before = workspace.deployed.get(file.path);
  // What is as it was deployed is the deployed file, so that comparing is comparing references.
  const same = before !== undefined && before.mode === file.mode && sameBytes(before.data, file.data);
  return { ...workspace, files: new Map(workspace.files).set(file.path, same ? before : file) };
}

/** Without a file, or without everything in a folder. */
export function removed(workspace: Workspace, path: string): Workspace {
  return { ...workspace, files: new Map([...workspace.files].filter(([other]) => !isAtOrBelow(other, path))) };
}

/** With a file, or everything in a folder, under another path. */
export function renamed(workspace: Workspace, from: string, to: string): Workspace {
  let result = removed(workspace, from);
  for (const [path, file] of workspace.files) {
    if (isAtOrBelow(path, from)) result = put(result, { ...file, path: to + path.slice(from.length) });
  }
  return result;
}

export function renameProblem(workspace: Workspace, from: string, to: string): string | undefined {
  return pathProblem(to, [...workspace.files.keys()].filter((path) => !isAtOrBelow(path, from)));
}

export function isAtOrBelow(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

export function changes(workspace: Workspace): Map<string, Change> {
  const found = new Map<string, Change>();
  for (const [path, file] of workspace.files) {
    const before = workspace.deployed.get(path);
    if (before === undefined) found.set(path, "added");
    else if (before !== file) found.set(path, "changed");
  }
  for (const path of workspace.deployed.keys()) {
    if (!workspace.files.has(path)) found.set(path, "deleted");
  }
  return found;
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
