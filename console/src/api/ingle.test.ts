import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { problemOf } from "./errors";
import { ingle, pages } from "./ingle";
import { anybody } from "./session";

const place = { session: anybody("123456789012"), region: "eu-west-1" };
const sent: { url: string; init: RequestInit & { headers: Record<string, string> } }[] = [];

function answering(...answers: (() => Response)[]) {
  vi.stubGlobal("fetch", (url: string, init: RequestInit & { headers: Record<string, string> }) => {
    sent.push({ url, init });
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    return Promise.resolve().then(answer);
  });
}

function json(content: unknown, status = 200, headers: Record<string, string> = {}) {
  return () => new Response(JSON.stringify(content), { status, headers });
}

async function problem() {
  return problemOf(await ingle(place, "ListEnvironments", {}).catch((error: unknown) => error));
}

beforeEach(() => {
  sent.length = 0;
  vi.stubGlobal("location", { origin: "http://127.0.0.1:4566" });
});
afterEach(() => void vi.unstubAllGlobals());

describe("a call", () => {
  it("is posted to the page's own origin, signed for the service", async () => {
    answering(json({ Environments: [] }));
    await ingle(place, "ListEnvironments", { FunctionName: "f", MaxResults: 5 });
    const { url, init } = sent[0]!;
    expect(url).toBe("http://127.0.0.1:4566/");
    expect(init).toMatchObject({ method: "POST", body: '{"FunctionName":"f","MaxResults":5}', credentials: "omit" });
    expect(init.headers).toMatchObject({ "x-amz-target": "Ingle.ListEnvironments", "content-type": "application/x-amz-json-1.1" });
    expect(init.headers).not.toHaveProperty("host");
    const authorization = init.headers.authorization!;
    expect(authorization).toMatch(/Credential=123456789012\/\d{8}\/eu-west-1\/ingle\/aws4_request/);
    expect(authorization).toMatch(/SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target/);
  });

  it("has times as dates", async () => {
    answering(json({ Environments: [{ EnvironmentId: "a", Age: 3, StartedAt: 1.5 }] }));
    const { Environments } = await ingle(place, "ListEnvironments", {});
    expect(Environments).toEqual([{ EnvironmentId: "a", Age: 3, StartedAt: new Date(1500) }]);
  });

  it("says times as the service does", async () => {
    answering(json({ Recording: true, Records: [{ OccurredAt: 2, Record: '{"StartedAt": 1}' }] }));
    const { Records } = await ingle(place, "ListAuditRecords", { StartTime: new Date(1500), ReadOnly: false });
    expect(sent[0]!.init.body).toBe('{"StartTime":1.5,"ReadOnly":false}');
    expect(Records).toEqual([{ OccurredAt: new Date(2000), Record: '{"StartedAt": 1}' }]);
  });

  it("raises what the page reads as the service's own words", async () => {
    answering(json({ __type: "AccessDeniedException", Message: "no" }, 400, { "x-amzn-requestid": "id" }));
    expect(await problem()).toEqual({ kind: "denied", code: "AccessDeniedException", message: "no", requestId: "id" });
    answering(json({ message: "what?" }, 404, { "x-amzn-errortype": "ResourceNotFoundException:" }));
    expect(await problem()).toMatchObject({ kind: "refused", code: "ResourceNotFoundException", message: "what?" });
  });

  it("raises what cannot be read as that, and a lost connection as that", async () => {
    for (const status of [200, 502]) {
      answering(() => new Response("<html>", { status }));
      expect(await problem()).toMatchObject({ kind: "unreadable", message: expect.stringContaining(`status ${status}`) });
    }
    answering(() => {
      throw new TypeError("Failed to fetch");
    });
    expect((await problem()).kind).toBe("unreachable");
  });
});

it("lists page after page", async () => {
  answering(json({ Environments: [{ EnvironmentId: "a" }], NextToken: "t" }), json({ Environments: [{ EnvironmentId: "b" }] }));
  const found = [];
  for await (const page of pages(place, "ListEnvironments", { MaxResults: 1 })) found.push(...page.Environments);
  expect(found.map((item) => item.EnvironmentId)).toEqual(["a", "b"]);
  expect(sent.map(({ init }) => init.body)).toEqual(['{"MaxResults":1}', '{"MaxResults":1,"NextToken":"t"}']);
});
