import { expect, it } from "vitest";
import { wholeNumbers } from "./numbers";

it("takes whole numbers within bounds, and says which fields have something else", () => {
  expect(wholeNumbers({ least: ["1", 1, 9], most: [" 9 ", 1, 9] })).toEqual({});
  const told = wholeNumbers({ none: ["", 1, 9], half: ["1.5", 1, 9], word: ["one", 1, 9], less: ["0", 1, 9], more: ["10", 1, 9] });
  expect(Object.keys(told)).toEqual(["none", "half", "word", "less", "more"]);
  expect(told.less).toBe("A whole number from 1 to 9.");
});
