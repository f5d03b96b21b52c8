/** What differs between two packages, file by file. Pure. */

import { type Files, sameBytes } from "./workspace";

export interface Difference {
  readonly path: string;
  /** `permissions`: nothing but those. */
  readonly change: "added" | "removed" | "changed" | "permissions";
}

const PERMISSIONS = 0o777;

/** By path. */
export function differences(before: Files, after: Files): Difference[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const one = before.get(path), other = after.get(path);
    if (one === undefined) return { path, change: "added" as const };
    if (other === undefined) return { path, change: "removed" as const };
    if (!sameBytes(one.data, other.data)) return { path, change: "changed" as const };
    return (one.mode & PERMISSIONS) === (other.mode & PERMISSIONS) ? [] : { path, change: "permissions" as const };
  });
}
