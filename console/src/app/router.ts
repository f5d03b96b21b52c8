/** The browser's address as React sees it. */

import { useMemo, useSyncExternalStore } from "react";
import { withQuery } from "./places";

const CHANGED = "ingle:navigated";

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener(CHANGED, listener);
  };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** What is chosen within a page, as the address has it behind its question mark. */
export function useQuery(): URLSearchParams {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return useMemo(() => new URLSearchParams(search), [search]);
}

export function navigate(address: string, { replace = false } = {}): void {
  if (go(address, replace)) scrollTo(0, 0);
}

/** Chooses something within the page, which stays where it is scrolled to. What is undefined is taken out. */
export function choose(changes: Readonly<Record<string, string | undefined>>, { replace = false } = {}): void {
  go(location.pathname + withQuery(location.search, changes), replace);
}

/** Whether that is another address. */
function go(address: string, replace: boolean): boolean {
  if (address === location.pathname + location.search) return false;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event(CHANGED));
  return true;
}

/** For `onFollow` of links: here, unless the browser was asked for another tab or window. */
export function follow(event: CustomEvent<{ href?: string; ctrlKey?: boolean; metaKey?: boolean; shiftKey?: boolean; button?: number }>): void {
  const { href, ctrlKey, metaKey, shiftKey, button = 0 } = event.detail;
  if (href === undefined || ctrlKey || metaKey || shiftKey || button !== 0) return;
  event.preventDefault();
  navigate(href);
}
