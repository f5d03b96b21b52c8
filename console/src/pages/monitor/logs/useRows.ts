/** Which rows of a long list are in sight, while it is scrolled, grows at both ends, and some of its rows are higher. */

import { type RefObject, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { inSight, rowAt, topsOf } from "./heights";

export interface Rows {
  /** Of the element that scrolls. */
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly tops: Float64Array;
  readonly first: number;
  readonly end: number;
  /** Whether the last row is in sight. */
  readonly atEnd: boolean;
  readonly onScroll: () => void;
  readonly toEnd: () => void;
  /** Tells how high a row came out. */
  readonly measured: (id: string, height: number | undefined) => void;
}

/** `following`: it begins at the end and stays there until it is scrolled. `target`: the row to begin with. */
export function useRows(ids: readonly string[], following: boolean, target?: string): Rows {
  const ref = useRef<HTMLDivElement>(null);
  const [heights, setHeights] = useState<ReadonlyMap<string, number>>(new Map());
  const [view, setView] = useState({ top: 0, height: 600 });
  /** What stays in place when rows come and go: a row and how far it is above the top; none for the end. */
  const anchor = useRef<{ id: string; above: number } | undefined>(undefined);
  const aimed = useRef<string>(undefined);
  const tops = useMemo(() => topsOf(ids, heights), [ids, heights]);
  const look = useCallback(() => {
    const element = ref.current;
    if (element) setView((before) => (before.top === element.scrollTop && before.height === element.clientHeight ? before : { top: element.scrollTop, height: element.clientHeight }));
  }, []);
  const remember = useCallback(() => {
    const element = ref.current;
    if (!element) return;
    const atEnd = following && element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
    const row = rowAt(tops, element.scrollTop);
    anchor.current = atEnd || ids[row] === undefined ? undefined : { id: ids[row], above: element.scrollTop - tops[row]! };
    look();
  }, [tops, ids, following, look]);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const wanted = target === undefined || aimed.current === target ? -1 : ids.indexOf(target);
    if (wanted >= 0) {
      aimed.current = target;
      element.scrollTop = tops[wanted]! - element.clientHeight / 3;
      remember();
      return;
    }
    const kept = anchor.current === undefined ? -1 : ids.indexOf(anchor.current.id);
    if (kept >= 0) element.scrollTop = tops[kept]! + anchor.current!.above;
    else if (anchor.current === undefined && following) element.scrollTop = element.scrollHeight;
    look();
  }, [tops, ids, following, target, look, remember]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(look);
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, [look]);
  const measured = useCallback((id: string, height: number | undefined) => setHeights((before) => {
    if (before.get(id) === height) return before;
    const after = new Map(before);
    if (height === undefined) after.delete(id);
    else after.set(id, height);
    return after;
  }), []);
  const toEnd = useCallback(() => {
    anchor.current = undefined;
    if (ref.current) ref.current.scrollTop = ref.current.scrollHeight;
    look();
  }, [look]);
  const [first, end] = inSight(tops, view.top, view.height);
  return { ref, tops, first, end, atEnd: view.top + view.height >= tops[tops.length - 1]! - 4, onScroll: remember, toEnd, measured };
}
