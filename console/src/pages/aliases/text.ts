/** Shares as people read them. Pure. */

export function percentText(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

/** `1 (75 %), 2 (25 %)`. */
export function sharesText(shares: ReadonlyMap<string, number>): string {
  if (shares.size === 1) return [...shares.keys()][0]!;
  return [...shares].map(([version, share]) => `${version} (${percentText(share)})`).join(", ");
}
