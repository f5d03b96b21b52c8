// The same as `module_paths.mjs`, for versions of Node.js whose hooks run in a thread of their own.

import { comesLast, isBare } from "./module_paths.mjs";

let parents = [];

export async function initialize(data) {
  parents = data.parents;
}

export async function resolve(specifier, context, nextResolve) {
  if (!isBare(specifier)) return nextResolve(specifier, context);
  try {
    const found = await nextResolve(specifier, context);
    if (!comesLast(found.url)) return found;
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  }
  for (const parentURL of parents) {
    try {
      return await nextResolve(specifier, { ...context, parentURL });
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    }
  }
  return nextResolve(specifier, context);
}
