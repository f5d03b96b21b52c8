/** A line of the log, or the head of a request's lines. */

import Badge from "@cloudscape-design/components/badge";
import Icon from "@cloudscape-design/components/icon";
import Link from "@cloudscape-design/components/link";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { follow } from "../../../app/router";
import { milliseconds } from "../../../components/format";
import { clock, exactly } from "./clock";
import { type Line, unfolded, versionOf } from "./lines";
import type { Group } from "./requests";

/** Characters of a line that is not opened: more of them are never in sight, and browsers would lay them out. */
const MOST_IN_SIGHT = 1000;

export interface Links {
  /** Of a request's log; where it ran need not be known. */
  readonly ofRequest: (request: string, stream: string | undefined, at: number) => string;
  /** Of the whole log around a moment. */
  readonly around: (line: Line) => string;
}

export function LineRow({ line, request, open, target, indented, links, toggle, measured }: {
  line: Line; request?: string; open: boolean; target: boolean; indented: boolean; links: Links;
  toggle: (id: string) => void; measured: (id: string, height: number | undefined) => void;
}) {
  const { id, at, text, level, platform, stream } = line;
  const classes = ["log-line", `log-${(level ?? "none").toLowerCase()}`, platform && "log-platform", target && "log-target", indented && "log-indented"];
  return (
    <>
      <div role="cell" className={classes.filter(Boolean).join(" ")} onClick={() => getSelection()?.isCollapsed !== false && toggle(id)}>
        <Toggle open={open} label={`Line of ${clock(at, new Date())}`} toggle={() => toggle(id)} />
        <time className="log-time" dateTime={new Date(at).toISOString()} title={exactly(at)}>{clock(at, new Date())}</time>
        <span className="log-level">{level ?? ""}</span>
        <span className="log-stream" title={stream}>{versionOf(stream) ?? ""} {stream.slice(-6)}</span>
        <span className="log-text">{text.slice(0, MOST_IN_SIGHT)}</span>
      </div>
      {open && (
        <Unfolded id={id} measured={measured}>
          <pre>{unfolded(line)}</pre>
          <div className="log-facts">
            <span>{exactly(at)}</span>
            <span>Stream {stream}</span>
            {request !== undefined && <Link href={links.ofRequest(request, stream, at)} onFollow={follow} fontSize="body-s">Logs of request {request}</Link>}
            <Link href={links.around(line)} onFollow={follow} fontSize="body-s">The log around this line</Link>
          </div>
        </Unfolded>
      )}
    </>
  );
}

/** Tells how high the row is with it. */
function Unfolded({ id, measured, children }: { id: string; measured: (id: string, height: number | undefined) => void; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const row = ref.current?.parentElement;
    if (!row) return undefined;
    const observer = new ResizeObserver(() => measured(id, row.offsetHeight));
    observer.observe(row);
    return () => observer.disconnect();
  }, [id, measured]);
  return <div role="cell" ref={ref} className="log-unfolded">{children}</div>;
}

export function GroupRow({ group, folded, links, toggle }: { group: Group; folded: boolean; links: Links; toggle: (key: string) => void }) {
  const { key, request, stream, version, at, lines, report, failed } = group;
  return (
    <div role="cell" className="log-line log-group" title={stream}>
      <Toggle open={!folded} label={request === undefined ? `Outside of requests, ${clock(at, new Date())}` : `Request ${request}`} toggle={() => toggle(key)} />
      <time className="log-time" dateTime={new Date(at).toISOString()} title={exactly(at)}>{clock(at, new Date())}</time>
      {request === undefined ? <span>Outside of requests</span> : <Link href={links.ofRequest(request, stream, at)} onFollow={follow} fontSize="body-s">{request}</Link>}
      {failed && <Badge color="red">error</Badge>}
      {report && (report.init === undefined && report.restore === undefined ? null : <Badge color="blue">cold</Badge>)}
      <span className="log-text">
        {[version && `version ${version}`, report?.duration !== undefined && milliseconds(report.duration), lines === 1 ? "1 line" : `${lines} lines`].filter(Boolean).join(", ")}
      </span>
    </div>
  );
}

function Toggle({ open, label, toggle }: { open: boolean; label: string; toggle: () => void }) {
  return (
    <button type="button" className="log-toggle" aria-expanded={open} aria-label={label} onClick={(event) => { event.stopPropagation(); toggle(); }}>
      <Icon name={open ? "caret-down-filled" : "caret-right-filled"} size="small" />
    </button>
  );
}
