/** Test events of one function that are this browser's own, kept in its local storage. */

import type { Place } from "../../api/clients";

export interface TestEvent {
  readonly name: string;
  readonly body: string;
}

function key({ session, region }: Place, functionName: string): string {
  return `ingle.events:${session.account}:${region}:${functionName}`;
}

export function savedEvents(place: Place, functionName: string): TestEvent[] {
  return parsed(localStorage.getItem(key(place, functionName)));
}

export function saveEvents(place: Place, functionName: string, events: readonly TestEvent[]): void {
  localStorage.setItem(key(place, functionName), JSON.stringify(events));
}

/** What is stored may be of anybody's making. */
export function parsed(text: string | null): TestEvent[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isEvent) : [];
  } catch {
    return [];
  }
}

function isEvent(value: unknown): value is TestEvent {
  return typeof value === "object" && value !== null && "name" in value && "body" in value &&
    typeof value.name === "string" && typeof value.body === "string";
}

/** In the place of one with the same name, sorted by name. */
export function withEvent(events: readonly TestEvent[], event: TestEvent): TestEvent[] {
  return [...events.filter(({ name }) => name !== event.name), event].sort((one, other) => one.name.localeCompare(other.name));
}

/** Why this text is no event, if it is none. */
export function eventProblem(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `The event is not JSON: ${error instanceof Error ? error.message : error}`;
  }
}
