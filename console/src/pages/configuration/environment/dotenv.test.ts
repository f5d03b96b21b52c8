import { expect, it } from "vitest";
import { readDotenv } from "./dotenv";

it("reads keys and values as such files have them", () => {
  const { variables, unread } = readDotenv([
    "# a comment", "", "PLAIN=one two  # said aside", "export SHELL_ONE=1", "EMPTY=", "URL=https://host/a#b?c=d",
    'QUOTED="a # b\\n\\"c\\""', "LITERAL='a\\n $b'", 'LINES="first', 'second"', "UNCLOSED=\"it", "no variable", "AFTER = yes\r",
  ].join("\n"));
  expect(Object.fromEntries(variables.map(({ key, value }) => [key, value]))).toEqual({
    PLAIN: "one two", SHELL_ONE: "1", EMPTY: "", URL: "https://host/a#b?c=d", QUOTED: 'a # b\n"c"', LITERAL: "a\\n $b",
    LINES: "first\nsecond", UNCLOSED: '"it', AFTER: "yes",
  });
  expect(unread).toEqual([12]);
});
