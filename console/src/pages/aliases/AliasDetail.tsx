/** One alias: what it leads to, changing that, and what really ran. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMemo } from "react";
import { updateAlias } from "../../api/aliases";
import { useConsole } from "../../app/context";
import { addressOf } from "../../app/places";
import { follow, navigate } from "../../app/router";
import { Copied } from "../../components/Copied";
import { ProblemAlert } from "../../components/ProblemAlert";
import { Settings } from "../../components/Settings";
import type { Qualifiers } from "../function/useQualifiers";
import { sharesOf } from "../versions/rows";
import { AliasFields } from "./AliasFields";
import { DeleteAlias } from "./DeleteAlias";
import { Split } from "./Split";
import { type Draft, draftOf, problemsOf, targetOf } from "./draft";
import { sharesText } from "./text";

export function AliasDetail({ name, alias, qualifiers, onChanged }: {
  name: string; alias: string; qualifiers: Qualifiers; onChanged: () => void;
}) {
  const place = useConsole();
  const { versions = [], aliases, aliasesProblem: problem, reload } = qualifiers;
  const found = aliases?.find(({ Name }) => Name === alias);
  const shares = useMemo(() => found && sharesOf(found), [found]);
  const list = addressOf(place.region, { page: "function", name, tab: "aliases" });
  if (problem) return <ProblemAlert problem={problem} retry={reload} />;
  if (aliases === undefined) return <Box><Spinner /> Loading the alias</Box>;
  if (found === undefined || shares === undefined) {
    return <ProblemAlert problem={{ kind: "refused", message: `${name} has no alias ${alias}.` }} label="All aliases" retry={() => navigate(list)} />;
  }
  return (
    <SpaceBetween size="l">
      <Settings<Draft>
        title={`Alias ${alias}`} start={() => draftOf(found)} check={problemsOf}
        save={(draft) => updateAlias(place, name, found, targetOf(draft))} saved={onChanged}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button href={list} onFollow={follow}>All aliases</Button>
            <DeleteAlias name={name} alias={alias} after={() => { onChanged(); navigate(list, { replace: true }); }} />
          </SpaceBetween>
        }
        form={(editing) => <AliasFields editing={editing} versions={versions} />}
      >
        <KeyValuePairs
          columns={4}
          items={[
            { label: "Versions", value: sharesText(shares) },
            { label: "Description", value: found.Description || "-" },
            { label: "Alias ARN", value: <Copied text={found.AliasArn ?? ""} what="the ARN" /> },
            { label: "Code, test and settings", value: (
              <Link href={addressOf(place.region, { page: "function", name, qualifier: alias, tab: "code" })} onFollow={follow}>{name}:{alias}</Link>
            ) },
          ]}
        />
      </Settings>
      <Split name={name} alias={alias} shares={shares} />
    </SpaceBetween>
  );
}
