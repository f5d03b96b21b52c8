/** The function's tags. */

import Table from "@cloudscape-design/components/table";
import Box from "@cloudscape-design/components/box";
import { useCallback } from "react";
import { type Tags as TagSet, addTags, removeTags, tagsOf } from "../../../api/tags";
import { useConsole } from "../../../app/context";
import { type Pair, PairsEditor } from "../../../components/PairsEditor";
import { Settings } from "../../../components/Settings";
import { Watch } from "../../../components/Watch";
import { useWatched } from "../../../components/useWatched";
import type { SectionProps } from "../section";
import { MOST_TAGS, changesOf, problemOfKey } from "./changes";

interface Draft {
  readonly rows: readonly Pair[];
}

export default function Tags({ found }: SectionProps) {
  const place = useConsole();
  // Versions and aliases have none of their own.
  const arn = found.FunctionArn?.split(":").slice(0, 7).join(":") ?? "";
  const watched = useWatched(useCallback(() => tagsOf(place, arn), [place, arn]));
  const save = async (before: TagSet, rows: readonly Pair[]) => {
    const { added, removed, removeFirst } = changesOf(before, Object.fromEntries(rows.map(({ key, value }) => [key, value])));
    const add = async () => { if (Object.keys(added).length > 0) await addTags(place, arn, added); };
    const remove = async () => { if (removed.length > 0) await removeTags(place, arn, removed); };
    for (const step of removeFirst ? [remove, add] : [add, remove]) await step();
  };
  return (
    <Watch title="Tags" what="the tags" watched={watched}>
      {(tags) => (
        <Settings<Draft>
          title="Tags"
          description={`Up to ${MOST_TAGS}, to search functions by, and for policies to go by.`}
          start={() => ({ rows: pairsOf(tags) })}
          check={({ rows }) => (rows.some((_, index) => problemOfKey(rows, index)) ? { rows: "" } : {})}
          save={({ rows }) => save(tags, rows)}
          saved={watched.reload}
          form={({ draft: { rows }, change, problems }) => (
            <PairsEditor
              rows={rows} one="tag" most={MOST_TAGS} valueLabel="Value - optional"
              problemOf={(index) => (problems.rows === undefined ? undefined : problemOfKey(rows, index))}
              additionalInfo={`${rows.length} of ${MOST_TAGS}`}
              onChange={(changed) => change({ rows: changed })}
            />
          )}
        >
          <Table<Pair>
            variant="embedded"
            ariaLabels={{ tableLabel: "Tags" }}
            items={pairsOf(tags)}
            wrapLines
            empty={<Box color="text-body-secondary">The function has no tags.</Box>}
            columnDefinitions={[
              { id: "key", header: "Key", isRowHeader: true, cell: ({ key }) => <span className="long">{key}</span> },
              { id: "value", header: "Value", cell: ({ value }) => <span className="long">{value || "-"}</span> },
            ]}
          />
        </Settings>
      )}
    </Watch>
  );
}

function pairsOf(tags: TagSet): Pair[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value })).sort((one, other) => one.key.localeCompare(other.key));
}
