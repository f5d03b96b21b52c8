/** A function's log: the latest lines as they come, those around a moment, or those of one request. */

import { useQuery } from "../../../app/router";
import type { SectionProps } from "../section";
import { RequestLog } from "./RequestLog";
import { WholeLog } from "./WholeLog";

export function Logs({ found }: SectionProps) {
  const query = useQuery();
  const request = query.get("request");
  if (request === null) return <WholeLog found={found} query={query} />;
  const at = Date.parse(query.get("at") ?? "");
  return <RequestLog found={found} request={request} stream={query.get("stream") ?? undefined} at={Number.isNaN(at) ? undefined : at} />;
}
