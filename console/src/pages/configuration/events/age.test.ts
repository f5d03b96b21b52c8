import { expect, it } from "vitest";
import { ageProblem, ageText, partsOfAge, secondsOf } from "./age";

it("is taken apart and put together again", () => {
  expect(partsOfAge(3723)).toEqual({ hours: "1", minutes: "2", seconds: "3" });
  expect(secondsOf(partsOfAge(21_600))).toBe(21_600);
  expect([ageText(21_600), ageText(3723), ageText(60)]).toEqual(["6 h", "1 h 2 min 3 s", "1 min"]);
});

it("is from a minute to six hours", () => {
  expect([59, 60, 21_600, 21_601].map((age) => ageProblem(age) === undefined)).toEqual([false, true, true, false]);
});
