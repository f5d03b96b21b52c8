import { describe, expect, it } from "vitest";
import { isEnded, problemOf } from "./errors";

describe("a problem", () => {
  it("has the API's own words", () => {
    expect(problemOf({ name: "CodeStorageExceededException", message: "Too much.", $fault: "client", $metadata: { requestId: "id", httpStatusCode: 400 } })).toEqual({
      kind: "refused", code: "CodeStorageExceededException", message: "Too much.", requestId: "id",
    });
  });

  it("is a denial, if the API says so", () => {
    expect(problemOf({ name: "AccessDeniedException", message: "no", $fault: "client", $metadata: { httpStatusCode: 403 } }).kind).toBe("denied");
  });

  it("is a lost connection, in the words of every browser", () => {
    for (const message of ["Failed to fetch", "NetworkError when attempting to fetch resource.", "Load failed"]) {
      expect(problemOf(Object.assign(new TypeError(message), { $metadata: { attempts: 1 } })).kind).toBe("unreachable");
    }
  });

  it("is an answer that cannot be understood, with its status", () => {
    const problem = problemOf(Object.assign(new SyntaxError("Unexpected token"), { $response: { statusCode: 200 } }));
    expect(problem).toMatchObject({ kind: "unreadable", message: "The answer (status 200) cannot be understood: Unexpected token" });
    expect(problemOf("text").kind).toBe("unreadable");
  });

  it("tells the end of a session, in every protocol's spelling", () => {
    const coded = (name: string) => isEnded(problemOf({ name, message: "no", $fault: "client", $metadata: {} }));
    for (const name of ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"]) expect(coded(name)).toBe(true);
    for (const name of ["AccessDenied", "SignatureDoesNotMatch", "ResourceNotFoundException"]) expect(coded(name)).toBe(false);
  });
});
