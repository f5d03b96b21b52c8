/** Test events of a function that everybody in the account shares. */

import type { Place } from "./clients";
import { ingle, pages } from "./ingle";
import { all } from "./pages";

/** Their names, sorted. */
export async function sharedNames(place: Place, FunctionName: string): Promise<string[]> {
  const found = await all(pages(place, "ListTestEvents", { FunctionName }), ({ TestEvents }) => TestEvents);
  return found.map(({ EventName }) => EventName).sort((one, other) => one.localeCompare(other));
}

export async function sharedBody(place: Place, FunctionName: string, EventName: string): Promise<string> {
  return (await ingle(place, "GetTestEvent", { FunctionName, EventName })).Event;
}

/** In the place of one with the same name. */
export async function share(place: Place, FunctionName: string, EventName: string, Event: string): Promise<void> {
  await ingle(place, "PutTestEvent", { FunctionName, EventName, Event });
}

export async function deleteShared(place: Place, FunctionName: string, EventName: string): Promise<void> {
  await ingle(place, "DeleteTestEvent", { FunctionName, EventName });
}
