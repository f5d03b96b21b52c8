/** The account's pool of concurrency in a region, as it is now. */

import type { Place } from "./clients";
import { type FunctionConcurrency, type Operations, pages } from "./ingle";

export type { FunctionConcurrency };
export type Pool = Omit<Operations["DescribeConcurrency"]["output"], "NextToken">;

export async function readPool(place: Place): Promise<Pool> {
  let pool: Pool | undefined;
  for await (const page of pages(place, "DescribeConcurrency", { MaxResults: 1000 })) {
    pool = { ...page, Functions: [...(pool?.Functions ?? []), ...page.Functions] };
  }
  return pool!;
}
