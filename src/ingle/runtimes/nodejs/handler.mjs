// Finds and loads the function that the setting "Handler" names: `path/file.export`, the export possibly nested.

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import {
  CallbackHandlerDeprecated,
  HandlerNotFound,
  ImportModuleError,
  MalformedHandlerName,
  UserCodeSyntaxError,
  lines,
} from "./errors.mjs";
import { isStreaming } from "./streaming.mjs";

// Messages about modules that are missing name the file that asked for them.
const require = createRequire(new URL("./index.mjs", import.meta.url));
const MAJOR = Number(process.versions.node.split(".")[0]);
const LAST_WITH_CALLBACKS = 22;
const NAME = /^([^.]*)\.(.*)$/;

export async function loadHandler(variables) {
  const name = variables._HANDLER;
  const { directory, module, exported } = parseName(name);
  const root = variables.LAMBDA_TASK_ROOT;
  const loaded = await load(root, directory, module);
  const handler = exported.split(".").reduce((value, part) => value?.[part], loaded);
  if (handler === undefined || handler === null) throw new HandlerNotFound(`${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new HandlerNotFound(`${name} is not a function`);
  if (handler.length >= 3 && !isStreaming(handler)) checkCallback(variables);
  return handler;
}

function parseName(name) {
  if (name.includes("..")) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(name);
  const match = NAME.exec(base);
  if (match === null) throw new MalformedHandlerName("Bad handler");
  return { directory: name.slice(0, name.length - base.length), module: match[1], exported: match[2] };
}

async function load(root, directory, module) {
  try {
    return await loadFile(root, directory, module);
  } catch (error) {
    if (error instanceof SyntaxError) throw syntaxError(error);
    if (error?.code === "MODULE_NOT_FOUND") throw new ImportModuleError(error);
    throw error;
  }
}

async function loadFile(root, directory, module) {
  const file = path.resolve(root, directory, module);
  if (isFile(`${file}.js`)) return isEsModule(`${file}.js`) ? importFile(`${file}.js`) : requireOrImport(`${file}.js`);
  if (isFile(`${file}.mjs`)) return importFile(`${file}.mjs`);
  if (isFile(`${file}.cjs`)) return require(`${file}.cjs`);
  if (isFile(file)) return require(file);
  return require(require.resolve(module, { paths: [root, path.join(root, directory)] }));
}

function importFile(file) {
  return import(pathToFileURL(file).href);
}

// Newer versions of Node.js recognise an ES module by its syntax, and can require those that do not wait.
async function requireOrImport(file) {
  try {
    return require(file);
  } catch (error) {
    if (error?.code === "ERR_REQUIRE_ASYNC_MODULE") return importFile(file);
    throw error;
  }
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

// Whether the nearest package.json makes .js files ES modules.
function isEsModule(file) {
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    const description = path.join(directory, "package.json");
    if (isFile(description)) return JSON.parse(fs.readFileSync(description, "utf8")).type === "module";
    if (directory === path.dirname(directory)) return false;
  }
}

// The stack of a syntax error begins with the place in the source.
function syntaxError(error) {
  const told = new UserCodeSyntaxError(error);
  told.stack = [`${told.name}: ${told.message}`, ...lines(error.stack)].join("\n");
  return told;
}

function checkCallback(variables) {
  if (MAJOR > LAST_WITH_CALLBACKS) {
    throw new CallbackHandlerDeprecated(
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need " +
        "to modify this function to use a supported handler signature to use Node.js 24 or later.",
    );
  }
  if (MAJOR >= 20 && variables.AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING === undefined) {
    console.warn(
      "WARNING: callback-based function handlers do not work with Node.js 24 and later. Use an async handler, or set " +
        "AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING to silence this.",
    );
  }
}
