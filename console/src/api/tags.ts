/** Tags of all functions at once, from the Resource Groups Tagging API. */

import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { type Place, configuration } from "./clients";

export type Tags = Readonly<Record<string, string>>;

/** Tags by function ARN; those without any may be absent. */
export async function tagsOfFunctions(place: Place, signal: AbortSignal): Promise<Map<string, Tags>> {
  const client = new ResourceGroupsTaggingAPIClient(configuration(place));
  const found = new Map<string, Tags>();
  let PaginationToken: string | undefined;
  do {
    const page = await client.send(
      new GetResourcesCommand({ ResourceTypeFilters: ["lambda:function"], ResourcesPerPage: 100, PaginationToken }),
      { abortSignal: signal },
    );
    for (const { ResourceARN = "", Tags = [] } of page.ResourceTagMappingList ?? []) {
      found.set(ResourceARN, Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value])));
    }
    PaginationToken = page.PaginationToken;
  } while (PaginationToken);
  return found;
}
