/** Forms with something in them that is not saved: who is about to lose it is asked first. */

import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";

export interface Asked {
  readonly leave: () => void;
  readonly stay: () => void;
}

const unsaved = new Set<object>();
const listeners = new Set<() => void>();
let asked: Asked | undefined;

export function isUnsaved(): boolean {
  return unsaved.size > 0;
}

/** Goes now, if nothing is lost by it, and otherwise once somebody said so. */
export function leaving(go: () => void): void {
  if (!isUnsaved()) return go();
  ask({ leave: () => { unsaved.clear(); ask(undefined); go(); }, stay: () => ask(undefined) });
}

/** What is to be asked now. */
export function useAsked(): Asked | undefined {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, () => asked);
}

/** For a form: whether it has something in it. What is returned says that it may be lost, as it was saved or given up. */
export function useUnsaved(changed: boolean): () => void {
  const form = useRef({});
  const forget = useCallback(() => void unsaved.delete(form.current), []);
  useEffect(() => {
    if (changed) unsaved.add(form.current);
    else forget();
    return forget;
  }, [changed, forget]);
  return forget;
}

/** Whether a draft is another than it was in the beginning. */
export function isChanged<Draft extends object>(start: Draft, draft: Draft): boolean {
  const names = new Set([...Object.keys(start), ...Object.keys(draft)]) as Set<keyof Draft>;
  return [...names].some((name) => draft[name] !== start[name]);
}

function ask(next: Asked | undefined): void {
  asked = next;
  for (const listener of listeners) listener();
}
