import { expect, it } from "vitest";
import { type Choice, choiceOf, labelOf, optionsOf, valueOf } from "./choice";

it.each<Choice>([{ kind: "private", name: "a:b" }, { kind: "shared", name: "a" }, { kind: "template", name: "sqs" }])("comes back from its value: $kind", (choice) => {
  expect(choiceOf(valueOf(choice))).toEqual(choice);
});

it("is offered by kind, and events of both kinds may have one name", () => {
  const groups = optionsOf(["a"], ["a", "b"]) as { label: string; options: { value: string; labelTag?: string }[] }[];
  expect(groups.map(({ label }) => label)).toEqual(["Your events", "Shared events", "Templates"]);
  expect(groups[1]?.options.map(({ value, labelTag }) => [value, labelTag])).toEqual([["shared:a", "Shared"], ["shared:b", "Shared"]]);
  expect(optionsOf([], [])).toHaveLength(1);
  expect([labelOf({ kind: "template", name: "sqs" }), labelOf({ kind: "shared", name: "sqs" })]).toEqual(["SQS messages", "sqs"]);
});
