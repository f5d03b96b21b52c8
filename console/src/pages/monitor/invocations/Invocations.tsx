/** The latest invocations of a function with what was reported about each. */

import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useMemo } from "react";
import { qualifierOf } from "../../../api/functions";
import { logGroupOf } from "../../../api/logs";
import { useConsole } from "../../../app/context";
import { choose, useQuery } from "../../../app/router";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Refresh } from "../Refresh";
import { linksOf, usualVersion } from "../logs/view";
import { Empty } from "../logs/WholeLog";
import { type SectionProps, intervalOf } from "../section";
import { columns } from "./columns";
import { type Invocation, OUTCOMES, STARTS, filterOf, passes } from "./invocations";
import { useInvocations } from "./useInvocations";

const PAGE = 50;

export function Invocations({ found }: SectionProps) {
  const place = useConsole();
  const query = useQuery();
  const filter = useMemo(() => filterOf(query), [query]);
  const { all, busy, absent, more, problem, reload, earlier } = useInvocations(place, found, intervalOf(query));
  const version = usualVersion(qualifierOf(found));
  const passed = useMemo(
    () => (all ?? []).filter((each) => passes(filter, each) && (version === "" || each.version === version)), [all, filter, version],
  );
  const definitions = useMemo(() => columns(linksOf(place.region, found)), [place, found]);
  const { items, collectionProps, filterProps, paginationProps, filteredItemsCount } = useCollection(passed, {
    filtering: {
      filteringFunction: ({ request, version: of = "" }, text) => request.includes(text.trim()) || of === text.trim(),
      empty: nothing(absent, logGroupOf(found), (all?.length ?? 0) > 0), noMatch: <Empty title="No match">None has that request ID or version.</Empty>,
    },
    sorting: { defaultState: { sortingColumn: definitions[0]!, isDescending: true } },
    pagination: { pageSize: PAGE },
  });
  const counted = all && (passed.length === all.length ? `(${all.length}${more ? "+" : ""})` : `(${passed.length}/${all.length}${more ? "+" : ""})`);
  return (
    <SpaceBetween size="m">
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      <Table<Invocation>
        {...collectionProps}
        items={items}
        trackBy="id"
        columnDefinitions={definitions}
        loading={all === undefined && !problem}
        loadingText="Loading invocations"
        empty={problem ? <Box>The log could not be read.</Box> : collectionProps.empty}
        ariaLabels={{ tableLabel: "Invocations" }}
        header={
          <Header variant="h2" counter={counted} description="What the log reports of each, the latest first." actions={<Refresh busy={busy} reload={reload} />}>
            Invocations
          </Header>
        }
        filter={
          <div className="filters">
            <div className="log-search">
              <TextFilter
                {...filterProps} filteringAriaLabel="Search invocations" filteringPlaceholder="Request ID or version" filteringClearAriaLabel="Clear the search"
                countText={filterProps.filteringText === "" ? "" : `${filteredItemsCount} found`}
              />
            </div>
            <Choice label="Start" of={STARTS} chosen={filter.start} onChange={(start) => choose({ start: start === "all" ? undefined : start }, { replace: true })} />
            <Choice label="Result" of={OUTCOMES} chosen={filter.outcome} onChange={(result) => choose({ result: result === "all" ? undefined : result }, { replace: true })} />
          </div>
        }
        pagination={passed.length > PAGE && <Pagination {...paginationProps} />}
        footer={more && <Box textAlign="center"><Button variant="inline-link" loading={busy} onClick={earlier}>Load earlier invocations</Button></Box>}
      />
    </SpaceBetween>
  );
}

function Choice({ label, of, chosen, onChange }: { label: string; of: Readonly<Record<string, string>>; chosen: string; onChange: (value: string) => void }) {
  const options = Object.entries(of).map(([value, text]) => ({ value, label: text }));
  return (
    <FormField label={label}>
      <Select
        options={options} selectedOption={options.find(({ value }) => value === chosen) ?? null} expandToViewport
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? "all")}
      />
    </FormField>
  );
}

function nothing(absent: boolean, group: string, filtered: boolean) {
  if (absent) return <Empty title="No invocations">There is no log yet: the group {group} comes to be with the first invocation.</Empty>;
  if (filtered) return <Empty title="No invocation is like that">Others are in the log: choose another start or result.</Empty>;
  return <Empty title="No invocations">The log {group} reports none.</Empty>;
}
