// The Node.js runtime: loads the handler, then serves invocations from the Runtime API until the process is stopped.
//
// Runs inside an execution environment as the function's user, on Node.js 18 and later. It was either executed with the
// function's variables, or ahead of time without them: then it waits for them here. Behaviour that handlers can see
// (context, log lines, error bodies, order of things) follows AWS's documentation of the Node.js runtime.

import { RuntimeApi } from "./runtime_api.mjs";
import { becomeFunction } from "./ahead.mjs";
import { Log } from "./log.mjs";
import { NodeJsExit, UnhandledPromiseRejection } from "./errors.mjs";
import { Invocation } from "./invocation.mjs";
import { installGlobals } from "./streaming.mjs";
import { loadHandler } from "./handler.mjs";
import { resolveThroughNodePath } from "./module_paths.mjs";

// Exit statuses after an error that has no other way out; AWS's runtime has the same.
const EXIT_REJECTION = 128;
const EXIT_EXCEPTION = 129;

const variables = becomeFunction();
const log = new Log(variables);
const api = new RuntimeApi(variables.AWS_LAMBDA_RUNTIME_API);
let invocation = null;
let initialised = false;
let crashed = false;

process.on("uncaughtException", (error) => crash("Uncaught Exception", error, EXIT_EXCEPTION));
process.on("unhandledRejection", (reason, promise) => {
  crash("Unhandled Promise Rejection", new UnhandledPromiseRejection(reason, promise), EXIT_REJECTION);
});
process.on("beforeExit", () => {
  // Nothing is left to wait for. A handler that has not answered by now never will.
  if (crashed) return;
  if (invocation !== null) {
    invocation.loopIsEmpty();
  } else if (!initialised) {
    crash("Uncaught Exception", new NodeJsExit(), EXIT_EXCEPTION);
  }
});

function crash(label, error, status) {
  if (crashed) return;
  crashed = true;
  log.failure(label, error);
  const leave = () => process.exit(status);
  if (!initialised) {
    api.write(api.failure("/init/error", error), leave);
  } else if (invocation !== null) {
    invocation.crash(error, leave);
  } else {
    leave();
  }
}

async function serve(handler) {
  let answer = "";
  for (;;) {
    const { headers, body } = await api.next(answer);
    invocation = new Invocation(api, log, variables, headers);
    answer = await invocation.run(handler, body);
    invocation = null;
  }
}

installGlobals();
resolveThroughNodePath(variables);
let handler;
try {
  handler = await loadHandler(variables);
} catch (error) {
  crash("Uncaught Exception", error, EXIT_EXCEPTION);
  // The process ends once the platform was told.
  await new Promise(() => {});
}
initialised = true;
serve(handler);
