// The console of a function: AWS's line format or JSON, each message one log event even if it has several lines.

import fs from "node:fs";
import { format } from "node:util";
import { inLog, isError, lines } from "./errors.mjs";

const TEXT_FRAME = 0xa55a0003;
const JSON_FRAME = 0xa55a0002;
const HEADER = 16;
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const METHODS = { trace: "TRACE", debug: "DEBUG", info: "INFO", log: "INFO", warn: "WARN", error: "ERROR", fatal: "FATAL" };

export class Log {
  // Of the invocation that is served.
  requestId = undefined;
  tenantId = undefined;
  #descriptor;
  #json;

  // Takes the log channel's descriptor out of `variables` and puts the console's methods in place.
  constructor(variables) {
    const descriptor = variables._LAMBDA_TELEMETRY_LOG_FD;
    delete variables._LAMBDA_TELEMETRY_LOG_FD;
    this.#descriptor = descriptor === undefined ? undefined : Number(descriptor);
    this.#json = variables.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
    const least = LEVELS.indexOf(variables.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());
    for (const [method, level] of Object.entries(METHODS)) {
      const shown = LEVELS.indexOf(level) >= least;
      console[method] = shown ? (...values) => this.#write(level, values) : () => {};
    }
  }

  // An error that ended something; `label` says what.
  failure(label, error) {
    if (this.#json) {
      console.error(isError(error) ? error : format(label, error));
    } else {
      console.error(label, `\t${inLog(error)}`);
    }
  }

  #write(level, values) {
    const time = new Date().toISOString();
    if (this.#json) {
      this.#event(JSON_FRAME, this.#record(time, level, values));
    } else {
      this.#event(TEXT_FRAME, `${time}\t${this.requestId}\t${level}\t${format(...values)}`);
    }
  }

  #record(timestamp, level, values) {
    const record = { timestamp, level, requestId: this.requestId };
    if (this.tenantId !== undefined) record.tenantId = this.tenantId;
    if (values.length === 1) {
      try {
        return JSON.stringify({ ...record, message: values[0] }, errorAsRecord);
      } catch {
        return JSON.stringify({ ...record, message: format(values[0]) });
      }
    }
    record.message = format(...values);
    const error = values.find(isError);
    if (error !== undefined) Object.assign(record, errorMembers(error));
    return JSON.stringify(record);
  }

  #event(kind, text) {
    if (this.#descriptor === undefined) {
      writeAll(1, Buffer.from(text.replaceAll("\n", "\r") + "\n"));
      return;
    }
    const content = Buffer.from(text + "\n");
    const header = Buffer.allocUnsafe(HEADER);
    header.writeUInt32BE(kind, 0);
    header.writeUInt32BE(content.length, 4);
    header.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
    writeAll(this.#descriptor, Buffer.concat([header, content]));
  }
}

function errorMembers(error) {
  return { errorType: error.constructor?.name ?? "UnknownError", errorMessage: error.message, stackTrace: lines(error.stack) };
}

function errorAsRecord(_name, value) {
  return isError(value) ? { ...errorMembers(value), ...value } : value;
}

function writeAll(descriptor, data) {
  let written = 0;
  while (written < data.length) written += fs.writeSync(descriptor, data, written);
}
