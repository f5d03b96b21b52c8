/** Zips of deployment packages, with the permissions of their files. Source: PKWARE's APPNOTE, sections 4.3 and 4.4. */

import { type Zippable, inflateSync, zipSync } from "fflate";
import { PLAIN, type PackageFile } from "./files";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const LONGEST_COMMENT = 0xffff;
const UNIX = 3;

export class UnreadableZip extends Error {
  override name = "UnreadableZip";
}

/** The files of a zip in its order; directories are left out. Raises UnreadableZip. */
export function readZip(zip: Uint8Array): PackageFile[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  try {
    return entries(zip, view);
  } catch (error) {
    if (error instanceof UnreadableZip) throw error;
    throw new UnreadableZip("the package is damaged");
  }
}

function entries(zip: Uint8Array, view: DataView): PackageFile[] {
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) throw new UnreadableZip("the package is in the format Zip64");
  const files: PackageFile[] = [];
  for (let index = 0; index < count; index++) {
    if (view.getUint32(at, true) !== CENTRAL) throw new UnreadableZip("the package is damaged");
    const name = view.getUint16(at + 28, true), extra = view.getUint16(at + 30, true), comment = view.getUint16(at + 32, true);
    const path = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + name));
    const unix = view.getUint8(at + 5) === UNIX;
    const mode = unix ? view.getUint32(at + 38, true) >>> 16 : 0;
    if (!path.endsWith("/")) files.push({ path, data: content(zip, view, at), mode: mode || PLAIN });
    at += 46 + name + extra + comment;
  }
  return files;
}

function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - END_SIZE - LONGEST_COMMENT);
  for (let at = view.byteLength - END_SIZE; at >= lowest; at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  throw new UnreadableZip("this is not a zip file");
}

function content(zip: Uint8Array, view: DataView, central: number): Uint8Array {
  const flags = view.getUint16(central + 8, true), method = view.getUint16(central + 10, true);
  const packed = view.getUint32(central + 20, true), size = view.getUint32(central + 24, true);
  const local = view.getUint32(central + 42, true);
  if (flags & 1) throw new UnreadableZip("the package is encrypted");
  if (view.getUint32(local, true) !== LOCAL) throw new UnreadableZip("the package is damaged");
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const bytes = zip.subarray(start, start + packed);
  if (method === 0) return bytes.slice();
  if (method === 8) return inflateSync(bytes, { out: new Uint8Array(size) });
  throw new UnreadableZip(`the package is compressed by method ${method}`);
}

/** The same files make the same bytes: no time goes into them. */
export function writeZip(files: Iterable<PackageFile>): Uint8Array {
  const content: Zippable = {};
  for (const { path, data, mode } of files) {
    content[path] = [data, { os: UNIX, attrs: (mode << 16) >>> 0, mtime: new Date(1980, 0, 1), level: 6 }];
  }
  return zipSync(content);
}
