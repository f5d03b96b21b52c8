/** How invocations were shared out, beside how they are to be. Pure. */

export interface Part {
  readonly version: string;
  /** From 0 to 1; none of a version that the alias does not lead to any more. */
  readonly set?: number;
  readonly count: number;
  /** From 0 to 1; none, as long as nothing ran. */
  readonly measured?: number;
}

/** By version, the alias's own ones first. */
export function partsOf(shares: ReadonlyMap<string, number>, counts: ReadonlyMap<string, number>): Part[] {
  const sum = [...counts.values()].reduce((before, count) => before + count, 0);
  const others = [...counts.keys()].filter((version) => !shares.has(version) && counts.get(version)! > 0);
  return [...shares.keys(), ...others].map((version) => {
    const count = counts.get(version) ?? 0;
    return { version, set: shares.get(version), count, measured: sum === 0 ? undefined : count / sum };
  });
}
