/** Where rows of a long list are, of which only those in sight are made. Pure. */

/** Of most rows, in pixels. */
export const ROW = 26;

/** The top of each row, and the bottom of the last. `heights`: of rows that are not as most are, by id. */
export function topsOf(ids: readonly string[], heights: ReadonlyMap<string, number>): Float64Array {
  const tops = new Float64Array(ids.length + 1);
  for (let index = 0; index < ids.length; index++) tops[index + 1] = tops[index]! + (heights.get(ids[index]!) ?? ROW);
  return tops;
}

/** The row at a height: the last whose top is not below it. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0, high = Math.max(tops.length - 2, 0);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Rows in sight and a few around them: the first, and the one behind the last. */
export function inSight(tops: Float64Array, scrolled: number, height: number, around = 12): [first: number, end: number] {
  const count = tops.length - 1;
  if (count === 0) return [0, 0];
  return [Math.max(rowAt(tops, scrolled) - around, 0), Math.min(rowAt(tops, scrolled + height) + 1 + around, count)];
}
