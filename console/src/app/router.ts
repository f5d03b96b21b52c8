/** The browser's address as React sees it. */

import { useMemo, useSyncExternalStore } from "react";
import { isUnsaved, leaving } from "./leaving";
import { withQuery } from "./places";

const CHANGED = "ingle:navigated";

/** Where the page is, by what it was told last; nothing, until somebody watches. */
let here: string | undefined;

function subscribe(listener: () => void): () => void {
  if (here === undefined) addEventListener("popstate", back);
  here = address();
  addEventListener(CHANGED, listener);
  return () => removeEventListener(CHANGED, listener);
}

/** Somebody went back, or forward. Who would lose what is typed by it is asked first: the browser is there already, and returns. */
function back(): void {
  const there = address();
  if (here === undefined || !isUnsaved() || here.split("?")[0] === location.pathname) return tell();
  history.pushState(null, "", here);
  leaving(() => go(there, false));
}

function tell(): void {
  here = address();
  dispatchEvent(new Event(CHANGED));
}

function address(): string {
  return location.pathname + location.search;
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** What is chosen within a page, as the address has it behind its question mark. */
export function useQuery(): URLSearchParams {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return useMemo(() => new URLSearchParams(search), [search]);
}

/** To another page. Who would lose what is typed by it is asked first. */
export function navigate(wanted: string, { replace = false } = {}): void {
  leaving(() => { if (go(wanted, replace)) scrollTo(0, 0); });
}

/** Chooses something within the page, which stays where it is scrolled to. What is undefined is taken out. */
export function choose(changes: Readonly<Record<string, string | undefined>>, { replace = false } = {}): void {
  go(location.pathname + withQuery(location.search, changes), replace);
}

/** Whether that is another address. */
function go(wanted: string, replace: boolean): boolean {
  if (wanted === address()) return false;
  history[replace ? "replaceState" : "pushState"](null, "", wanted);
  tell();
  return true;
}

/** For `onFollow` of links: here, unless the browser was asked for another tab or window. */
export function follow(event: CustomEvent<{ href?: string; ctrlKey?: boolean; metaKey?: boolean; shiftKey?: boolean; button?: number }>): void {
  const { href, ctrlKey, metaKey, shiftKey, button = 0 } = event.detail;
  if (href === undefined || ctrlKey || metaKey || shiftKey || button !== 0) return;
  event.preventDefault();
  navigate(href);
}
