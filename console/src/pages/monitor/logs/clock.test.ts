import { expect, it } from "vitest";
import { clock, exactly } from "./clock";

it("has the day where it is another than today", () => {
  const moment = new Date(2026, 10, 28, 9, 5, 7, 42);
  expect(clock(moment.getTime(), new Date(2026, 10, 28, 23))).toBe("09:05:07.042");
  expect(clock(moment.getTime(), new Date(2026, 10, 29, 0))).toBe("Nov 28 09:05:07.042");
  expect(exactly(0)).toMatch(/\(1970-01-01T00:00:00.000Z\)$/);
});
