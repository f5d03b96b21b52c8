/** Rows of a log, of which only those in sight are made: tens of thousands stay fluent. */

import Button from "@cloudscape-design/components/button";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { GroupRow, LineRow, type Links } from "./LogRow";
import type { Row } from "./requests";
import { useRows } from "./useRows";

export function LogRows({ rows, following, target, links, toggleGroup, before, after }: {
  rows: readonly Row[];
  /** Whether the last rows are what somebody wants to see. */
  following: boolean;
  /** The line to begin with, which is marked. */
  target?: string;
  links: Links;
  toggleGroup: (key: string) => void;
  /** Above the first row, and below the last. */
  before?: ReactNode;
  after?: ReactNode;
}) {
  const ids = useMemo(() => rows.map(({ id }) => id), [rows]);
  /** The row that has the keyboard's focus, which stays made when it is scrolled out of sight. */
  const [focused, setFocused] = useState<string>();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const { ref, tops, first, end, atEnd, onScroll, toEnd, measured } = useRows(ids, following, target);
  const toggle = useCallback((id: string) => {
    setOpen((before) => toggled(before, id));
    measured(id, undefined);
  }, [measured]);
  const made = useMemo(() => {
    const kept = focused === undefined ? -1 : ids.indexOf(focused);
    const sight = Array.from({ length: end - first }, (_, index) => first + index);
    return kept < 0 || (kept >= first && kept < end) ? sight : kept < first ? [kept, ...sight] : [...sight, kept];
  }, [ids, focused, first, end]);
  return (
    <div className="log-frame">
      {before}
      <div ref={ref} className="log" role="region" aria-label="Log" tabIndex={0} onScroll={onScroll}>
        <div role="table" aria-label="Lines of the log" aria-rowcount={rows.length} style={{ blockSize: tops[rows.length] }}>
          {made.map((index) => [index, rows[index]!] as const).map(([index, row]) => (
            <div
              key={row.id} role="row" aria-rowindex={index + 1} className="log-row" style={{ insetBlockStart: tops[index] }}
              onFocus={() => setFocused(row.id)} onBlur={() => setFocused(undefined)}
            >
              {row.kind === "group"
                ? <GroupRow group={row.group} folded={row.folded} links={links} toggle={toggleGroup} />
                : (
                  <LineRow
                    line={row.line} request={row.request} open={open.has(row.id)} target={row.id === target} indented={rows[0]?.kind === "group"}
                    links={links} toggle={toggle} measured={measured}
                  />
                )}
            </div>
          ))}
        </div>
      </div>
      {after}
      {!atEnd && <div className="log-end"><Button iconName="angle-down" onClick={toEnd}>To the last line</Button></div>}
    </div>
  );
}

export function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const after = new Set(set);
  if (!after.delete(item)) after.add(item);
  return after;
}
