/** Who managed what in this account, and what decided about it. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useMemo, useState } from "react";
import type { AuditRecord } from "../../../api/audit";
import { prettyDocument } from "../../../api/statements";
import { useConsole } from "../../../app/context";
import { choose, useQuery } from "../../../app/router";
import { Dialog } from "../../../components/Dialog";
import { DocumentText } from "../../../components/DocumentText";
import { ProblemAlert } from "../../../components/ProblemAlert";
import { Time } from "../../../components/Time";
import { Filters } from "./Filters";
import { decidedBy, shortArn } from "./decision";
import { filterOf, queryOf } from "./filter";
import { useAudit } from "./useAudit";

export default function Audit() {
  const place = useConsole();
  const query = useQuery();
  const filter = useMemo(() => filterOf(query), [query]);
  const { found, loading, problem, more, reload } = useAudit(place, filter);
  const [opened, setOpened] = useState<AuditRecord>();
  const columns = useMemo(() => columnsThat(setOpened), []);
  const end = found.next === undefined;
  return (
    <SpaceBetween size="m">
      {problem && <ProblemAlert problem={problem} retry={reload} />}
      {!found.recording && (
        <Alert type="info">Calls are not recorded, as nobody is asked who they are: recording takes a server with <code>--auth iam</code>.</Alert>
      )}
      <Table<AuditRecord>
        items={[...found.records]}
        trackBy="EventId"
        columnDefinitions={columns}
        loading={loading && found.records.length === 0}
        loadingText="Loading records"
        wrapLines
        ariaLabels={{ tableLabel: "Audit log" }}
        empty={<Box color="inherit">{problem ? "The records could not be read." : end ? "No record is like that." : "None so far; there is more to read."}</Box>}
        header={
          <Header
            variant="h1" counter={`(${found.records.length}${end ? "" : "+"})`}
            description="Calls that managed something in this account, in all regions, the newest first."
            actions={<Button iconName="refresh" ariaLabel="Refresh the audit log" loading={loading} onClick={reload} />}
          >
            Audit log
          </Header>
        }
        filter={<Filters filter={filter} onChange={(next) => choose(queryOf(next))} />}
        footer={!end && !problem && <Box textAlign="center"><Button loading={loading} onClick={more}>Load more</Button></Box>}
      />
      {opened && (
        <Dialog header={`${nameOf(opened)}, ${opened.OccurredAt.toLocaleString()}`} cancel="Close" size="large" action={null} onClose={() => setOpened(undefined)}>
          <DocumentText label="Record" text={prettyDocument(opened.Record)} />
        </Dialog>
      )}
    </SpaceBetween>
  );
}

function columnsThat(open: (record: AuditRecord) => void): TableProps.ColumnDefinition<AuditRecord>[] {
  return [
    { id: "time", header: "Time", minWidth: 120, cell: ({ OccurredAt }) => <Time at={OccurredAt} /> },
    { id: "operation", header: "Operation", isRowHeader: true, minWidth: 160, cell: (record) => (
      <Button variant="inline-link" ariaLabel={`Record of ${nameOf(record)}, request ${record.RequestId}`} onClick={() => open(record)}>{nameOf(record)}</Button>
    ) },
    { id: "source", header: "Service", cell: ({ EventSource }) => EventSource.replace(/\.amazonaws\.com$/, "") },
    { id: "who", header: "Who", cell: ({ PrincipalArn, AccessKeyId }) => (PrincipalArn ? shortArn(PrincipalArn) : `unknown (${AccessKeyId || "no key"})`) },
    { id: "result", header: "Result", cell: ({ ErrorCode, ErrorMessage }) => (
      ErrorCode === undefined ? <StatusIndicator>Succeeded</StatusIndicator>
        : <span title={ErrorMessage}><StatusIndicator type="error">{ErrorCode}</StatusIndicator></span>
    ) },
    { id: "decided", header: "Decided by", cell: ({ Record }) => decidedBy(Record) ?? "-" },
  ];
}

/** Records of Lambda's operations have the API's version behind the name. */
function nameOf({ EventName }: AuditRecord): string {
  return EventName.replace(/\d{8}$/, "");
}
