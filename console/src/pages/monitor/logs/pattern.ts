/** The filter pattern of CloudWatch Logs that a search means. Pure. */

/** Text that has a pattern's own signs is one; words each have to be in a line as they are. Undefined finds everything. */
export function patternOf(search: string): string | undefined {
  const text = search.trim();
  if (text === "") return undefined;
  const words = text.split(/\s+/);
  if (/^[{[%]/.test(text) || text.includes('"') || words.some((word) => /^[?-]./.test(word))) return text;
  return words.map(quoted).join(" ");
}

export function quoted(word: string): string {
  return `"${word.replace(/[\\"]/g, "\\$&")}"`;
}
