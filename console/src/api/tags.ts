/** Tags: of all functions at once, from the Resource Groups Tagging API, and of one. */

import { ListTagsCommand, TagResourceCommand, UntagResourceCommand } from "@aws-sdk/client-lambda";
import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { type Place, configuration, lambdaClient } from "./clients";

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

export async function tagsOf(place: Place, arn: string): Promise<Tags> {
  return (await lambdaClient(place).send(new ListTagsCommand({ Resource: arn }))).Tags ?? {};
}

export async function addTags(place: Place, arn: string, tags: Tags): Promise<void> {
  await lambdaClient(place).send(new TagResourceCommand({ Resource: arn, Tags: tags }));
}

export async function removeTags(place: Place, arn: string, keys: readonly string[]): Promise<void> {
  await lambdaClient(place).send(new UntagResourceCommand({ Resource: arn, TagKeys: [...keys] }));
}
