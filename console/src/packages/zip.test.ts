import { unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { EXECUTABLE, PLAIN, textFile } from "./files";
import { UnreadableZip, readZip, writeZip } from "./zip";

const FILES = [textFile("bootstrap", "#!/bin/sh\n"), textFile("lib/é.py", "x = 1\n".repeat(1000)), textFile("empty", "")];

describe("a zip", () => {
  it("gives its files back with their permissions", () => {
    expect(readZip(writeZip(FILES))).toEqual(FILES);
    expect(FILES.map(({ mode }) => mode)).toEqual([EXECUTABLE, PLAIN, PLAIN]);
  });

  it("keeps every kind of mode, links included", () => {
    const link = { ...textFile("link", "target"), mode: 0o120777 };
    expect(readZip(writeZip([link]))).toEqual([link]);
  });

  it("is the same for the same files, and can be read by others", () => {
    expect(writeZip(FILES)).toEqual(writeZip(FILES));
    expect(Object.keys(unzipSync(writeZip(FILES)))).toEqual(FILES.map(({ path }) => path));
  });

  it("is read without its directories, also where it tells no permissions", () => {
    const zip = zipSync({ "d/": new Uint8Array(), "d/f": [new TextEncoder().encode("text"), { os: 0 }] });
    expect(readZip(zip)).toEqual([{ path: "d/f", data: new TextEncoder().encode("text"), mode: PLAIN }]);
  });

  it("is found behind a comment's place and before one", () => {
    const zip = writeZip(FILES), comment = new TextEncoder().encode("a comment");
    const longer = new Uint8Array([...zip, ...comment]);
    new DataView(longer.buffer).setUint16(zip.length - 2, comment.length, true);
    expect(readZip(longer)).toEqual(FILES);
  });

  it.each([new Uint8Array(), new TextEncoder().encode("no zip at all, but long enough")])("is told from what is none", (bytes) => {
    expect(() => readZip(bytes)).toThrow(UnreadableZip);
  });

  it("that is cut or changed is refused", () => {
    const zip = writeZip(FILES);
    for (let at = 0; at < zip.length; at += 7) {
      const damaged = zip.slice();
      damaged[at] = damaged[at]! ^ 0xff;
      try {
        readZip(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableZip);
      }
      expect(() => readZip(zip.subarray(0, at))).toThrow(UnreadableZip);
    }
  });
});
