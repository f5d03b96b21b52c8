/** Numbers that people type. Pure. */

/** What is wrong with texts that have to be whole numbers within bounds: `[text, least, most]` by field. */
export function wholeNumbers<Field extends string>(
  fields: Readonly<Record<Field, readonly [text: string, least: number, most: number]>>,
): Partial<Record<Field, string>> {
  const problems: Partial<Record<Field, string>> = {};
  for (const [field, [text, least, most]] of Object.entries(fields) as [Field, [string, number, number]][]) {
    if (!/^[0-9]+$/.test(text.trim()) || Number(text) < least || Number(text) > most) {
      problems[field] = `A whole number from ${least} to ${most}.`;
    }
  }
  return problems;
}
