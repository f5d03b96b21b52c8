// A runtime that was started before its function is known gets the function's variables here.

import fs from "node:fs";

const SETTINGS = "_INGLE_SETTINGS_FD";

// Make this process the function's: variables, working directory. Returns the variables.
export function becomeFunction() {
  const descriptor = process.env[SETTINGS];
  if (descriptor !== undefined) {
    const settings = JSON.parse(readToEnd(Number(descriptor)));
    replaceVariables(settings.variables);
    process.chdir(settings.directory);
  }
  return process.env;
}

function readToEnd(descriptor) {
  const pieces = [];
  const buffer = Buffer.allocUnsafe(65536);
  for (;;) {
    // Blocks: nothing else is to happen in this process before.
    const size = fs.readSync(descriptor, buffer);
    if (size === 0) break;
    pieces.push(Buffer.from(buffer.subarray(0, size)));
  }
  fs.closeSync(descriptor);
  if (pieces.length === 0) process.exit(0);
  return Buffer.concat(pieces).toString();
}

function replaceVariables(variables) {
  for (const name of Object.keys(process.env)) {
    if (!(name in variables)) delete process.env[name];
  }
  for (const [name, value] of Object.entries(variables)) {
    if (process.env[name] !== value) process.env[name] = value;
  }
}
