import { expect, it } from "vitest";
import { answered, begun, countsText, refused } from "./trial";

it("counts which versions answered", () => {
  let tried = begun(5);
  for (const version of ["10", "2", "10"]) tried = answered(tried, version, version === "2");
  tried = refused(tried, { kind: "refused", code: "TooManyRequestsException", message: "no" });
  expect(tried).toMatchObject({ left: 1, errors: 1, refused: 1, problem: { code: "TooManyRequestsException" } });
  expect(countsText(tried)).toBe("Of 4 invocations version 2 answered 1, version 10 answered 2, 1 got no answer. One answer is an error.");
  expect(countsText(begun(2))).toBe("Of 0 invocations nothing was answered.");
});
