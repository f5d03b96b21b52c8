/** Paths as a tree: folders first, each level by name. Pure. */

export interface Node {
  readonly path: string;
  readonly name: string;
  /** None for a file. */
  readonly children?: readonly Node[];
}

export function treeOf(paths: Iterable<string>): Node[] {
  return level([...paths].sort(), "");
}

function level(paths: string[], prefix: string): Node[] {
  const files: Node[] = [];
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const rest = path.slice(prefix.length), slash = rest.indexOf("/");
    if (slash < 0) files.push({ path, name: rest });
    else {
      const name = rest.slice(0, slash), inside = folders.get(name) ?? [];
      inside.push(path);
      folders.set(name, inside);
    }
  }
  const nodes = [...folders].map(([name, inside]) => ({
    path: prefix + name, name, children: level(inside, `${prefix}${name}/`),
  }));
  return [...nodes, ...files];
}

export function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
