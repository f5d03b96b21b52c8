/** Functions that run at once. Their files are files here, too, as text. */

import type { PackageFile } from "../../../packages/files";
import { textFile } from "../../../packages/files";
import bashBootstrap from "./bootstrap.sh?raw";
import bashHandler from "./function.sh?raw";
import helloNode from "./hello.mjs?raw";
import helloPython from "./hello.py?raw";
import streamingNode from "./streaming.mjs?raw";
import urlPython from "./url.py?raw";

export interface Blueprint {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly runtimes: readonly string[];
  readonly handler: string;
  readonly files: readonly PackageFile[];
  /** Whether it is to be called by HTTP, from anybody. */
  readonly url?: boolean;
}

export const PYTHON = ["python3.13", "python3.14", "python3.12", "python3.11", "python3.10", "python3.9"];
export const NODE = ["nodejs22.x", "nodejs24.x", "nodejs20.x", "nodejs18.x"];
export const CUSTOM = ["provided.al2023", "provided.al2"];
export const OTHERS = ["ruby3.4", "ruby3.3", "java25", "java21", "java17"];
export const RUNTIMES = [...PYTHON, ...NODE, ...OTHERS, ...CUSTOM];

export const BLUEPRINTS: readonly Blueprint[] = [
  {
    id: "hello-python", title: "Hello in Python", description: "Answers with a greeting.", runtimes: PYTHON,
    handler: "lambda_function.lambda_handler", files: [textFile("lambda_function.py", helloPython)],
  },
  {
    id: "hello-node", title: "Hello in Node.js", description: "Answers with a greeting.", runtimes: NODE,
    handler: "index.handler", files: [textFile("index.mjs", helloNode)],
  },
  {
    id: "http-url", title: "HTTP at a function URL", description: "Gets a URL that anybody may call, and answers with what was asked.",
    runtimes: PYTHON, handler: "lambda_function.lambda_handler", files: [textFile("lambda_function.py", urlPython)], url: true,
  },
  {
    id: "streaming", title: "Response streaming", description: "Sends its answer in parts, as they are made, in Node.js.", runtimes: NODE,
    handler: "index.handler", files: [textFile("index.mjs", streamingNode)],
  },
  {
    id: "custom", title: "Custom runtime", description: "A runtime of its own, a bootstrap in Bash that runs a shell function.", runtimes: CUSTOM,
    handler: "function.handler", files: [textFile("bootstrap", bashBootstrap), textFile("function.sh", bashHandler)],
  },
];

/** One of `BLUEPRINTS`. */
export function blueprintOf(id: string): Blueprint {
  return BLUEPRINTS.find((each) => each.id === id)!;
}

/** What a function from scratch begins with. */
export function starter(runtime: string): Blueprint | undefined {
  return ["hello-python", "hello-node", "custom"].map(blueprintOf).find(({ runtimes }) => runtimes.includes(runtime));
}
