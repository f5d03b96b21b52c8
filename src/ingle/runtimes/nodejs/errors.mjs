// Errors of the runtime itself, and how any error looks in an answer, in the log and in a trace.

import { types } from "node:util";

function runtimeError(name) {
  const kind = { [name]: class extends Error {} }[name];
  kind.prototype.name = `Runtime.${name}`;
  return kind;
}

export const CallbackHandlerDeprecated = runtimeError("CallbackHandlerDeprecated");
export const HandlerNotFound = runtimeError("HandlerNotFound");
export const ImportModuleError = runtimeError("ImportModuleError");
export const InvalidStreamingOperation = runtimeError("InvalidStreamingOperation");
export const MalformedHandlerName = runtimeError("MalformedHandlerName");
export const MalformedStreamingHandler = runtimeError("MalformedStreamingHandler");
export const UserCodeSyntaxError = runtimeError("UserCodeSyntaxError");

export class NodeJsExit extends runtimeError("NodeJsExit") {
  constructor() {
    super(
      "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise " +
        "that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes",
    );
  }
}

export class UnhandledPromiseRejection extends runtimeError("UnhandledPromiseRejection") {
  constructor(reason, promise) {
    super(text(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

export function isError(value) {
  return types.isNativeError(value) || value instanceof Error;
}

// The document that an invocation, or a failed initialisation, ends with.
export function describe(error) {
  try {
    if (isError(error) || (error?.name && error.message && error.stack)) {
      return { errorType: String(error.name), errorMessage: String(error.message), trace: lines(error.stack) };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, " +
        "name, and stack",
      trace: [],
    };
  }
}

// An error as one line of the log shows it.
export function inLog(error) {
  try {
    return JSON.stringify(error, (_name, value) => withDetails(value));
  } catch {
    return JSON.stringify(describe(error));
  }
}

function withDetails(value) {
  if (!isError(value)) return value;
  const details = { errorType: value.name, errorMessage: value.message, code: value.code };
  return { ...details, ...value, stack: lines(value.stack) };
}

// What X-Ray is told: a JSON text.
export function xRayCause(error) {
  const { errorType, errorMessage, trace } = describe(error);
  const frames = trace.map((line) => /^\s+at (?:(.+) )?\(?(.+?):(\d+):\d+\)?$/.exec(line)).filter(Boolean);
  const stack = frames.slice(0, 32).map(([, label, path, line]) => ({ path, line: Number(line), label: label ?? "anonymous" }));
  return JSON.stringify({
    working_directory: process.cwd(),
    exceptions: [{ type: errorType, message: errorMessage, stack }],
    paths: [...new Set(stack.map((frame) => frame.path))],
  });
}

export function lines(stack) {
  return typeof stack === "string" ? stack.split("\n") : [];
}

function text(value) {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}
