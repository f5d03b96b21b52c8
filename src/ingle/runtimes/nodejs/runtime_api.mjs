// A client of the Runtime API: one keep-alive connection, one request after another.
//
// The answer to an invocation and the poll for the next leave in a single write. While a handler runs, the connection
// does not keep the event loop alive, so that an empty loop is seen. A lost connection ends the process: the platform
// starts anew.

import net from "node:net";
import { describe, xRayCause } from "./errors.mjs";

const API = "/2018-06-01/runtime";
const HEAD_END = Buffer.from("\r\n\r\n");
const MAX_CAUSE = 65536;

export class RuntimeApi {
  #address;
  #poll;
  #socket;
  #buffer = Buffer.alloc(0);
  // Bytes that have to be there before looking at them again makes sense.
  #needed = 0;
  #waiting = [];

  constructor(address) {
    const [host, port] = address.split(":");
    this.#address = address;
    this.#poll = `GET ${API}/invocation/next HTTP/1.1\r\nHost: ${address}\r\n\r\n`;
    this.#socket = net.connect({ host, port: Number(port), noDelay: true });
    this.#socket.on("data", (data) => this.#receive(data));
    this.#socket.on("error", () => process.exit(1));
    this.#socket.on("close", () => process.exit(1));
    this.#socket.unref();
  }

  // The next event as {headers, body}. `answer`: a finished request to send before, or "" if there is none.
  async next(answer) {
    this.#socket.ref();
    if (answer !== "") this.#expect();
    this.#socket.write(answer + this.#poll);
    const response = await this.#expect();
    this.#socket.unref();
    if (response.status !== 200) process.exit(1);
    return response;
  }

  // Send part of a request; `done` is called when it left this process.
  write(data, done) {
    this.#socket.ref();
    this.#socket.write(data, () => {
      this.#socket.unref();
      done?.();
    });
  }

  // The answer to a request whose parts were sent by `write`.
  response() {
    this.#socket.ref();
    return this.#expect().finally(() => this.#socket.unref());
  }

  // A finished POST request. `headers` are lines that end with \r\n.
  post(path, body, headers) {
    return (
      `POST ${API}${path} HTTP/1.1\r\nHost: ${this.#address}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `${headers}\r\n${body}`
    );
  }

  // The start of a POST request whose body follows in chunks.
  chunked(path, headers) {
    return `POST ${API}${path} HTTP/1.1\r\nHost: ${this.#address}\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`;
  }

  // A finished request that reports an error.
  failure(path, error) {
    const document = describe(error);
    let headers = `Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: ${plain(document.errorType)}\r\n`;
    const cause = plain(xRayCause(error));
    if (cause.length < MAX_CAUSE) headers += `Lambda-Runtime-Function-XRay-Error-Cause: ${cause}\r\n`;
    return this.post(path, JSON.stringify(document), headers);
  }

  #expect() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #receive(data) {
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data]);
    while (this.#buffer.length > 0 && this.#buffer.length >= this.#needed) {
      const end = this.#buffer.indexOf(HEAD_END);
      if (end < 0) return;
      const { status, headers } = parseHead(this.#buffer.latin1Slice(0, end));
      const start = end + HEAD_END.length;
      this.#needed = start + Number(headers["content-length"] ?? 0);
      if (this.#buffer.length < this.#needed) return;
      const body = this.#buffer.utf8Slice(start, this.#needed);
      this.#buffer = this.#buffer.subarray(this.#needed);
      this.#needed = 0;
      this.#waiting.shift()?.({ status, headers, body });
    }
  }
}

function parseHead(head) {
  const lines = head.split("\r\n");
  const headers = {};
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index];
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(lines[0].slice(9, 12)), headers };
}

// Text as it may stand in a header.
function plain(text) {
  return text.replace(/[^\x20-\x7e]/g, (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"));
}
