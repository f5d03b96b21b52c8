/** Where results of asynchronous invocations go. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useCallback, useState } from "react";
import { changeEventInvoke, eventInvokes, removeEventInvoke } from "../../../api/eventInvoke";
import { qualifierOf } from "../../../api/functions";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { Watch } from "../../../components/Watch";
import { useWatched } from "../../../components/useWatched";
import type { SectionProps } from "../section";
import { DestinationForm } from "./DestinationForm";
import { CONDITION_TITLES, KINDS, type Route, kindOf, routesOf, without } from "./destinations";

const TITLE = "Destinations";

export default function Destinations({ found }: SectionProps) {
  const place = useConsole();
  const name = found.FunctionName ?? "";
  const watched = useWatched(useCallback(() => eventInvokes(place, name), [place, name]));
  const [editing, setEditing] = useState<Route | "new">();
  const remove = async ({ qualifier, condition }: Route) => {
    const config = watched.value?.find((each) => each.qualifier === qualifier);
    const left = config && without(config, condition);
    if (left) await changeEventInvoke(place, name, qualifier, true, { destinations: left });
    else await removeEventInvoke(place, name, qualifier);
  };
  const actions = (route: Route) => (
    <SpaceBetween direction="horizontal" size="xs">
      <Button ariaLabel={`Edit ${called(route)}`} onClick={() => setEditing(route)}>Edit</Button>
      <ConfirmButton
        name={`Remove ${called(route)}`} header="Remove the destination"
        question={<>Results of {called(route)}, are no longer sent to <span className="long">{route.arn}</span>.</>}
        run={() => remove(route)} done="The destination is removed." after={watched.reload}
      >
        Remove
      </ConfirmButton>
    </SpaceBetween>
  );
  return (
    <Watch title={TITLE} what="the destinations" watched={watched}>
      {(all) => editing ? (
        <DestinationForm
          name={name} all={all} route={editing === "new" ? undefined : editing} qualifier={qualifierOf(found)} saved={watched.reload} onClose={() => setEditing(undefined)}
        />
      ) : (
        <Table<Route>
          header={
            <Header
              variant="h2" counter={`(${routesOf(all).length})`} description="Where results of asynchronous invocations are sent."
              actions={<Button onClick={() => setEditing("new")}>Add destination</Button>}
            >
              {TITLE}
            </Header>
          }
          ariaLabels={{ tableLabel: TITLE }}
          items={routesOf(all)}
          trackBy={({ qualifier, condition }) => `${qualifier} ${condition}`}
          wrapLines
          empty={<Box color="text-body-secondary">Results go nowhere.</Box>}
          columnDefinitions={[
            { id: "arn", header: "Destination", minWidth: 180, isRowHeader: true, cell: ({ arn }) => <span className="long">{arn}</span> },
            { id: "type", header: "Type", cell: ({ arn }) => titleOf(arn) },
            { id: "condition", header: "Condition", cell: ({ condition }) => CONDITION_TITLES[condition] },
            { id: "qualifier", header: "Qualifier", cell: ({ qualifier }) => qualifier },
            { id: "actions", header: "Actions", minWidth: 220, cell: actions },
          ]}
        />
      )}
    </Watch>
  );
}

function called({ qualifier, condition }: Route): string {
  return `${qualifier}, ${CONDITION_TITLES[condition].toLowerCase()}`;
}

function titleOf(arn: string): string {
  const kind = kindOf(arn);
  return kind === undefined ? "-" : KINDS[kind].title;
}
