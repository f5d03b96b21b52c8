/** Managed policies, the account's and AWS's, and the page of one. */

import Button from "@cloudscape-design/components/button";
import { useCallback, useState } from "react";
import { type Policy, listPolicies } from "../../../api/iam/policies";
import { useConsole } from "../../../app/context";
import { type Column, ListTable } from "../../../components/ListTable";
import { Time } from "../../../components/Time";
import { useLoad } from "../../../components/useLoad";
import { ItemLink } from "../ItemLink";
import { OwnPolicyDialog } from "./OwnPolicyDialog";
import { PolicyPage } from "./PolicyPage";
import { isOfAws } from "./origin";

const COLUMNS: readonly Column<Policy>[] = [
  { id: "name", header: "Policy name", cell: ({ PolicyName, Arn = "" }) => <ItemLink section="policies" item={Arn} text={PolicyName} />, value: ({ PolicyName = "" }) => PolicyName },
  { id: "type", header: "Type", cell: ({ Arn = "" }) => typeOf(Arn), value: ({ Arn = "" }) => typeOf(Arn) },
  { id: "attached", header: "Attached", cell: ({ AttachmentCount = 0 }) => AttachmentCount, value: ({ AttachmentCount = 0 }) => AttachmentCount },
  { id: "updated", header: "Updated", cell: ({ UpdateDate }) => <Time at={UpdateDate!} />, value: ({ UpdateDate }) => UpdateDate!.getTime() },
];

export default function Policies({ item }: { item?: string }) {
  return item === undefined ? <List /> : <PolicyPage arn={item} />;
}

function List() {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listPolicies(place), [place]));
  const [creating, setCreating] = useState(false);
  return (
    <>
      <ListTable<Policy>
        title="Policies" loaded={loaded} reload={reload} columns={COLUMNS} trackBy={({ Arn = "" }) => Arn}
        description="Managed policies, to be attached to users, groups and roles." empty="There is no policy."
        actions={<Button variant="primary" onClick={() => setCreating(true)}>Create policy</Button>}
      />
      {creating && <OwnPolicyDialog onDone={() => { setCreating(false); reload(); }} onClose={() => setCreating(false)} />}
    </>
  );
}

function typeOf(arn: string): string {
  return isOfAws(arn) ? "AWS managed" : "Customer managed";
}
