/** The browser's address as React sees it. */

import { useSyncExternalStore } from "react";

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

export function navigate(address: string, { replace = false } = {}): void {
  if (address === location.pathname) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event(CHANGED));
  scrollTo(0, 0);
}

/** For `onFollow` of links: here, unless the browser was asked for another tab or window. */
export function follow(event: CustomEvent<{ href?: string; ctrlKey?: boolean; metaKey?: boolean; shiftKey?: boolean; button?: number }>): void {
  const { href, ctrlKey, metaKey, shiftKey, button = 0 } = event.detail;
  if (href === undefined || ctrlKey || metaKey || shiftKey || button !== 0) return;
  event.preventDefault();
  navigate(href);
}
