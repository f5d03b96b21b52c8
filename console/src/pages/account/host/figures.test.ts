import { expect, it } from "vitest";
import type { Host } from "../../../api/host";
import { environmentsText, gaugesOf } from "./figures";

it("shows what is used of memory and disk", () => {
  const host = {
    Memory: { Total: 4 << 20, Available: 1 << 20, Server: 1 << 19 }, Disk: { Total: 0, Free: 0, Reserve: 1 << 10, Full: true },
  } as Host;
  expect(gaugesOf(host)).toEqual([
    { label: "Memory", value: 75, text: "1.0 MB of 4.0 MB available; the server takes 512.0 kB" },
    { label: "Disk of the data directory", value: 0, text: "0 bytes of 0 bytes free; 1.0 kB are kept for what is there. It is full: nothing new is taken" },
  ]);
});

it("counts environments", () => {
  expect([environmentsText({}), environmentsText({ idle: 1, busy: 2, frozen: 0 })]).toEqual(["none", "2 busy, 1 idle"]);
});
