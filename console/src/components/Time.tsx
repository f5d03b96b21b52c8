import { ago } from "./format";

/** How long ago, with local time and UTC on hover. */
export function Time({ at }: { at: Date }) {
  if (Number.isNaN(at.getTime())) return <>-</>;
  return (
    <time dateTime={at.toISOString()} title={`${at.toLocaleString()} (${at.toISOString()})`}>
      {ago(at, new Date())}
    </time>
  );
}
