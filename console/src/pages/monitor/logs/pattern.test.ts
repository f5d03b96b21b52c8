import { expect, it } from "vitest";
import { patternOf } from "./pattern";

it.each([
  ["", undefined], ["  ", undefined], ["error", '"error"'], [" two words ", '"two" "words"'], ["a/b=c [x]", '"a/b=c" "[x]"'],
  ["C:\\temp", '"C:\\\\temp"'], ['"a phrase" b', '"a phrase" b'], ["?a ?b", "?a ?b"], ["a -b", "a -b"], ["a - b", '"a" "-" "b"'],
  ['{ $.level = "ERROR" }', '{ $.level = "ERROR" }'], ["[ip, user]", "[ip, user]"], ["%a.c%", "%a.c%"],
])("makes %j the pattern %j", (search, expected) => {
  expect(patternOf(search)).toBe(expected);
});
