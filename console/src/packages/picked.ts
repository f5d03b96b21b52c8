/** Files and folders that somebody chose or dropped, as files of a package. */

import { type PackageFile, withMode } from "./files";

const LEFT_OUT = /(^|\/)(\.git|\.DS_Store|__MACOSX)(\/|$)/;

/** From an input of files; those of a chosen folder are below its name, which is left out. */
export async function fromFiles(files: Iterable<File>): Promise<PackageFile[]> {
  const found = [...files].map((file) => ({ file, path: file.webkitRelativePath.split("/").slice(1).join("/") || file.name }));
  return read(found);
}

/** From what was dropped: files, and what is in folders. A folder that was dropped alone is the package's root. */
export async function fromDrop(items: DataTransferItemList): Promise<PackageFile[]> {
  // Entries are gone once the event's handler has returned, so they are asked for before anything is awaited.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const [only] = entries;
  const alone = entries.length === 1 && only !== undefined && only.isDirectory;
  const found = (await Promise.all(entries.map((entry) => filesOf(entry, alone ? "" : entry.name)))).flat();
  return read(found);
}

async function filesOf(entry: FileSystemEntry, path: string): Promise<{ file: File; path: string }[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, path }];
  }
  const inside = await everything((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(inside.map((each) => filesOf(each, path === "" ? each.name : `${path}/${each.name}`)))).flat();
}

/** A reader gives a hundred entries at a time, and none when there are no more. */
async function everything(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    found.push(...some);
  }
}

async function read(found: { file: File; path: string }[]): Promise<PackageFile[]> {
  const kept = found.filter(({ path }) => !LEFT_OUT.test(path));
  return Promise.all(kept.map(async ({ file, path }) => withMode(path, new Uint8Array(await file.arrayBuffer()))));
}
