// Streamed responses: the `awslambda` global, and the stream whose bytes go to the Runtime API as they are written.

import { Writable } from "node:stream";
import { InvalidStreamingOperation, describe } from "./errors.mjs";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const INTEGRATION_RESPONSE = "application/vnd.awslambda.http-integration-response";
const PRELUDE_END = Buffer.alloc(8);

export function installGlobals() {
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = "response";
      if (typeof options?.highWaterMark === "number") handler[HIGH_WATER_MARK] = options.highWaterMark;
      return handler;
    },
    HttpResponseStream: class HttpResponseStream {
      // `stream`, with status, headers and cookies sent before its first byte.
      static from(stream, prelude) {
        stream.setContentType(INTEGRATION_RESPONSE);
        stream.beginWith(JSON.stringify(prelude ?? {}), PRELUDE_END);
        return stream;
      }
    },
  };
}

export function isStreaming(handler) {
  return handler[STREAMING] === "response";
}

export class ResponseStream extends Writable {
  started = false;
  #api;
  #path;
  #contentType = "application/octet-stream";
  #prelude = [];

  constructor(api, requestId, handler) {
    const highWaterMark = handler[HIGH_WATER_MARK];
    super(highWaterMark === undefined ? {} : { highWaterMark });
    this.#api = api;
    this.#path = `/invocation/${requestId}/response`;
  }

  setContentType(contentType) {
    if (this.started) throw new InvalidStreamingOperation("Cannot set content-type, too late.");
    this.#contentType = contentType;
  }

  beginWith(...pieces) {
    this.#prelude = pieces;
  }

  // Values that are neither text nor bytes are written as JSON.
  write(chunk, ...rest) {
    const plain = typeof chunk === "string" || ArrayBuffer.isView(chunk) || chunk === null || chunk === undefined;
    return super.write(plain ? chunk : JSON.stringify(chunk), ...rest);
  }

  _write(chunk, _encoding, done) {
    this.#api.write(Buffer.concat([this.#start(), framed(chunk)]), done);
  }

  _final(done) {
    this.#api.write(Buffer.concat([this.#start(), Buffer.from("0\r\n\r\n")]), done);
  }

  // End the response in the middle with an error, told in trailers.
  fail(error, done) {
    const document = describe(error);
    const body = Buffer.from(JSON.stringify(document)).toString("base64");
    const type = document.errorType.replace(/[^\x20-\x7e]/g, "?");
    const trailers = `Lambda-Runtime-Function-Error-Type: ${type}\r\nLambda-Runtime-Function-Error-Body: ${body}\r\n`;
    this.#api.write(`0\r\n${trailers}\r\n`, done);
  }

  #start() {
    if (this.started) return Buffer.alloc(0);
    this.started = true;
    const headers =
      `Content-Type: ${this.#contentType}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n` +
      "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n";
    return Buffer.concat([
      Buffer.from(this.#api.chunked(this.#path, headers)),
      ...this.#prelude.map((piece) => framed(Buffer.from(piece))),
    ]);
  }
}

function framed(chunk) {
  if (chunk.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from(chunk.length.toString(16) + "\r\n"), chunk, Buffer.from("\r\n")]);
}
