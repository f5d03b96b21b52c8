import { expect, it } from "vitest";
import { KINDS, arnProblem, kindOf, routesOf, without } from "./destinations";

const QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue", BUCKET = "arn:aws:s3:::bucket";

it("knows kinds by their ARNs", () => {
  expect([QUEUE, BUCKET, "arn:aws:events:eu-west-1:000000000000:event-bus/b", "arn:aws:kinesis:x:y:z", "text", "a:b:toString"].map(kindOf))
    .toEqual(["sqs", "s3", "events", undefined, undefined, undefined]);
  expect(arnProblem(QUEUE, KINDS.sqs)).toBeUndefined();
  expect(arnProblem(QUEUE, KINDS.sns)).toContain("arn:aws:sns:");
});

it("lists destinations one by one, and tells what is left without one", () => {
  const both = { qualifier: "live", destinations: { OnSuccess: QUEUE, OnFailure: BUCKET } };
  expect(routesOf([both, { qualifier: "$LATEST", retries: 1, destinations: {} }])).toEqual([
    { qualifier: "live", condition: "OnFailure", arn: BUCKET }, { qualifier: "live", condition: "OnSuccess", arn: QUEUE },
  ]);
  expect(without(both, "OnSuccess")).toEqual({ OnFailure: BUCKET });
  expect(without({ qualifier: "1", destinations: { OnSuccess: QUEUE } }, "OnSuccess")).toBeUndefined();
  expect(without({ qualifier: "1", retries: 0, destinations: { OnSuccess: QUEUE } }, "OnSuccess")).toEqual({});
});
