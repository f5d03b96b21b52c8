import { expect, it } from "vitest";
import { unenforced } from "./enforcement";

const check = (State: "ok" | "weaker", Detail = "") => ({ Subject: "nftables", State, Detail });

it("is there for root, where nftables answers", () => {
  expect(unenforced({ Isolation: "root", Checks: [check("ok")] })).toBeUndefined();
  expect(unenforced({ Isolation: "root", Checks: [] })).toBeUndefined();
  expect(unenforced({ Isolation: "root", Checks: [check("weaker", "no such module")] })).toBe("nftables: no such module.");
  expect(unenforced({ Isolation: "process", Checks: [check("ok")] })).toMatch(/isolation process/);
});
