import { expect, it } from "vitest";
import { lineOf } from "./lines";
import { linksOf, shownOf, versionsIn, viewOf } from "./view";

const line = (stream: string) => lineOf({ id: stream, at: 0, stream, message: "" });

it("reads what is looked at off the address", () => {
  expect(viewOf(new URLSearchParams(), undefined)).toEqual({ search: "", least: "TRACE", grouped: false });
  expect(viewOf(new URLSearchParams("q=a+b&level=WARN&by=request&at=1970-01-01T00:00:01Z&line=7&version=3"), undefined)).toEqual({
    search: "a b", least: "WARN", grouped: true, at: 1000, line: "7", version: "3",
  });
  expect(viewOf(new URLSearchParams("level=LOUD&at=noon"), "live")).toEqual({ search: "", least: "TRACE", grouped: false });
  expect(viewOf(new URLSearchParams(), "7").version).toBe("7");
  expect(viewOf(new URLSearchParams("version="), "7").version).toBeUndefined();
});

it("shows the function's lines, and those of a version", () => {
  const lines = [line("2026/01/01/[1]a"), line("2026/01/01/[10]b"), line("2026/01/01/[2]c"), line("2026/01/01/other[1]d")];
  expect(shownOf(lines, "f", undefined).length).toBe(3);
  expect(shownOf(lines, "f", "2")).toEqual([lines[2]]);
  expect(versionsIn(lines, "$LATEST")).toEqual(["$LATEST", "1", "2", "10"]);
});

it("links to a request, and to the log around a line", () => {
  const links = linksOf("us-east-1", { FunctionName: "f", FunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f" });
  expect(links.ofRequest("id", "[1]a", 0)).toBe("/_ingle/console/us-east-1/functions/f/monitor/logs?request=id&stream=%5B1%5Da&at=1970-01-01T00%3A00%3A00.000Z");
  expect(links.around({ ...line("s"), id: "9" })).toMatch(/logs\?at=.*&line=9$/);
});
