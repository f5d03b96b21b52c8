// ES modules find packages through NODE_PATH too: those of layers and the AWS SDK. Node.js itself does that for
// `require` only.
//
// Registering a hook costs time, with older versions a thread, so there is none unless a directory has packages that
// Node.js would not find: the SDK alone is found without, at /var/node_modules.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const FOUND_BY_NODE = "/var/node_modules";

export function resolveThroughNodePath(variables) {
  const directories = (variables.NODE_PATH ?? "").split(":").filter((directory) => directory !== "");
  const holding = directories.filter((directory) => directory.endsWith("/node_modules") && fs.existsSync(directory));
  if (holding.every((directory) => isFoundByNode(directory))) return;
  const parents = holding.map((directory) => pathToFileURL(path.join(path.dirname(directory), "package.json")).href);
  const module = createRequire(import.meta.url)("node:module");
  if (module.registerHooks !== undefined) {
    module.registerHooks({ resolve: syncResolver(parents) });
  } else if (module.register !== undefined) {
    module.register("./module_paths_thread.mjs", { parentURL: import.meta.url, data: { parents } });
  }
}

function isFoundByNode(directory) {
  try {
    return fs.realpathSync(FOUND_BY_NODE) === fs.realpathSync(directory);
  } catch {
    return false;
  }
}

function syncResolver(parents) {
  return (specifier, context, nextResolve) => {
    if (context.conditions?.includes("require") || !isBare(specifier)) return nextResolve(specifier, context);
    try {
      const found = nextResolve(specifier, context);
      if (!comesLast(found.url)) return found;
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    }
    for (const parentURL of parents) {
      try {
        return nextResolve(specifier, { ...context, parentURL });
      } catch (error) {
        if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      }
    }
    return nextResolve(specifier, context);
  };
}

// Whether a specifier names a package.
export function isBare(specifier) {
  return !/^(\.{0,2}\/|[a-z][a-z+.-]*:|#)/i.test(specifier);
}

// The runtime's own packages come after those of layers.
export function comesLast(url) {
  return url.startsWith("file:///var/runtime/node_modules/");
}
