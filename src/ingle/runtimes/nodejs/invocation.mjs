// One invocation: the context object, the call of the handler in each of its forms, and the answer.

import { MalformedStreamingHandler } from "./errors.mjs";
import { ResponseStream, isStreaming } from "./streaming.mjs";

const MAJOR = Number(process.versions.node.split(".")[0]);
// From here on handlers have no callback, and what a plain function returns is its result.
const WITHOUT_CALLBACKS = MAJOR >= 24;

export class Invocation {
  #api;
  #log;
  #headers;
  #path;
  #context;
  #waitsForEmptyLoop = true;
  #settled = false;
  #resolve;
  // What an empty event loop means: for a handler that was not heard of, the end without a result.
  #atEmptyLoop = () => this.#succeed(undefined);
  #stream = null;

  constructor(api, log, variables, headers) {
    this.#api = api;
    this.#log = log;
    this.#headers = headers;
    const id = headers["lambda-runtime-aws-request-id"];
    this.#path = `/invocation/${id}`;
    log.requestId = id;
    log.tenantId = headers["lambda-runtime-aws-tenant-id"];
    const trace = headers["lambda-runtime-trace-id"];
    if (trace === undefined) {
      delete variables._X_AMZN_TRACE_ID;
    } else {
      variables._X_AMZN_TRACE_ID = trace;
    }
    this.#context = this.#makeContext(variables, id);
  }

  // The finished request that answers the invocation; "" if it was sent already.
  run(handler, body) {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      try {
        this.#addHeaderObjects();
        this.#call(handler, JSON.parse(body));
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  loopIsEmpty() {
    this.#atEmptyLoop();
  }

  // Tell the platform of an error that ends the process; `done` is called when that has left.
  crash(error, done) {
    if (this.#settled) {
      done();
    } else if (this.#stream?.started) {
      this.#stream.fail(error, done);
    } else {
      this.#api.write(this.#api.failure(`${this.#path}/error`, error), done);
    }
    this.#settled = true;
  }

  // --- the call -------------------------------------------------------------------------------------------------------

  #call(handler, event) {
    if (isStreaming(handler)) {
      this.#callStreaming(handler, event);
      return;
    }
    const result = handler(event, this.#context, (error, value) => this.#calledBack(error, value));
    if (typeof result?.then === "function") {
      result.then((value) => this.#succeed(value), (error) => this.#fail(error));
    } else if (WITHOUT_CALLBACKS) {
      this.#succeed(result);
    }
  }

  #callStreaming(handler, event) {
    const stream = (this.#stream = new ResponseStream(this.#api, this.#context.awsRequestId, handler));
    stream.on("finish", () => this.#streamed());
    stream.on("error", (error) => this.#fail(error));
    this.#atEmptyLoop = () => stream.end();
    const result = handler(event, stream, this.#context);
    if (typeof result?.then !== "function") {
      throw new MalformedStreamingHandler("Streaming does not support non-async handlers.");
    }
    result.then(undefined, (error) => this.#fail(error));
  }

  #calledBack(error, value) {
    if (this.#settled) return;
    if (error !== undefined && error !== null) {
      this.#fail(error);
    } else if (this.#waitsForEmptyLoop) {
      this.#atEmptyLoop = () => this.#succeed(value);
    } else {
      setImmediate(() => this.#succeed(value));
    }
  }

  // --- the answer -----------------------------------------------------------------------------------------------------

  #succeed(value) {
    if (this.#settled) return;
    let body;
    try {
      body = JSON.stringify(value === undefined ? null : value) ?? "null";
    } catch {
      this.#fail(new Error("Unable to stringify response body"));
      return;
    }
    this.#settle(this.#api.post(`${this.#path}/response`, body, "Content-Type: application/json\r\n"));
  }

  #fail(error) {
    if (this.#settled) return;
    this.#log.failure("Invoke Error", error);
    if (this.#stream?.started) {
      this.#settled = true;
      this.#stream.fail(error, () => this.#sent());
    } else {
      this.#settle(this.#api.failure(`${this.#path}/error`, error));
    }
  }

  #settle(answer) {
    this.#settled = true;
    this.#resolve(answer);
  }

  #streamed() {
    if (this.#settled) return;
    this.#settled = true;
    this.#sent();
  }

  async #sent() {
    await this.#api.response();
    this.#resolve("");
  }

  // --- the context ----------------------------------------------------------------------------------------------------

  #makeContext(variables, id) {
    const deadline = Number(this.#headers["lambda-runtime-deadline-ms"] ?? 0);
    const invocation = this;
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return invocation.#waitsForEmptyLoop;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        invocation.#waitsForEmptyLoop = value;
      },
      functionVersion: variables.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: variables.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: variables.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: variables.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: undefined,
      identity: undefined,
      invokedFunctionArn: this.#headers["lambda-runtime-invoked-function-arn"],
      awsRequestId: id,
      tenantId: this.#headers["lambda-runtime-aws-tenant-id"],
      getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
    };
    if (!WITHOUT_CALLBACKS) {
      context.succeed = (value) => this.#succeed(value);
      context.fail = (error) => this.#done(error);
      context.done = (error, value) => this.#done(error, value);
    }
    return context;
  }

  #done(error, value) {
    if (error !== undefined && error !== null) {
      this.#fail(error);
    } else {
      this.#succeed(value);
    }
  }

  #addHeaderObjects() {
    this.#context.clientContext = this.#parseHeader("lambda-runtime-client-context");
    this.#context.identity = this.#parseHeader("lambda-runtime-cognito-identity");
  }

  // Header bytes were read as Latin-1; the JSON in them is UTF-8.
  #parseHeader(name) {
    const value = this.#headers[name];
    if (value === undefined) return undefined;
    try {
      return JSON.parse(Buffer.from(value, "latin1").toString());
    } catch (error) {
      throw new Error(`Unable to parse ${name}: ${error.message}`);
    }
  }
}
