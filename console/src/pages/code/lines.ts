/** How the lines of a text end, so that editing one changes no other. Pure.
 *
 * Where endings are mixed, carriage returns count as characters of their lines, and stay.
 */
export function lineSeparator(text: string): "\r\n" | "\n" {
  const all = text.match(/\n/g)?.length ?? 0, returned = text.match(/\r\n/g)?.length ?? 0;
  return all > 0 && all === returned ? "\r\n" : "\n";
}
