/** What the function may use of its account's concurrency, what its versions have ready, and whether loops are stopped. */

import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback } from "react";
import type { Place } from "../../../api/clients";
import { type Provisioned as Config, provisionedConcurrency, reservedConcurrency } from "../../../api/concurrency";
import { failed } from "../../../api/errors";
import { accountSettings } from "../../../api/limits";
import { useConsole } from "../../../app/context";
import { SOON, useWatched } from "../../../components/useWatched";
import type { SectionProps } from "../section";
import { Provisioned } from "./Provisioned";
import { Recursion } from "./Recursion";
import { type Reserve, Reserved } from "./Reserved";

export default function Concurrency({ found }: SectionProps) {
  const place = useConsole();
  const name = found.FunctionName ?? "";
  const reserve = useWatched(useCallback(() => reserveOf(place, name), [place, name]));
  const provisioned = useWatched(useCallback(() => provisionedConcurrency(place, name), [place, name]), again);
  return (
    <SpaceBetween size="l">
      <Reserved name={name} reserve={reserve} provisioned={provisioned.value} />
      <Provisioned name={name} provisioned={provisioned} changed={() => { provisioned.reload(); reserve.reload(); }} />
      <Recursion name={name} />
    </SpaceBetween>
  );
}

function again(all: readonly Config[]): number | undefined {
  return all.some(({ status }) => status === "IN_PROGRESS") ? SOON : undefined;
}

async function reserveOf(place: Place, name: string): Promise<Reserve> {
  const reserved = await reservedConcurrency(place, name);
  try {
    const { limit } = await accountSettings(place);
    return { reserved, pool: { limit: limit.ConcurrentExecutions ?? 0, unreserved: limit.UnreservedConcurrentExecutions ?? 0 } };
  } catch (error) {
    return { reserved, problem: failed(error) };
  }
}
