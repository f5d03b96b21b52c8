import { expect, it } from "vitest";
import { firstFile } from "./firstFile";

it("is the handler's, else one at the top", () => {
  expect(firstFile(["a.py", "lambda_function.py"], "lambda_function.handler")).toBe("lambda_function.py");
  expect(firstFile(["a.mjs", "src/index.mjs"], "src/index.handler")).toBe("src/index.mjs");
  expect(firstFile(["pkg/app.py", "z.py"], "pkg.app.handler")).toBe("pkg/app.py");
  expect(firstFile(["lib/x.class", "z.txt"], "com.example.Handler::handle")).toBe("z.txt");
  expect(firstFile([], "a.b")).toBeUndefined();
});
