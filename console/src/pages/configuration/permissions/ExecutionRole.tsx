/** The role that the function runs with. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useRef } from "react";
import { updateConfiguration } from "../../../api/configuration";
import { createBasicRole } from "../../../api/roles";
import { useConsole } from "../../../app/context";
import { Copied } from "../../../components/Copied";
import { type Problems, Settings } from "../../../components/Settings";
import { ItemLink } from "../../account/ItemLink";
import { type SectionProps, closedNow } from "../section";
import { RoleInput } from "./RoleInput";
import { RolePolicies } from "./RolePolicies";
import { accountIn, nameIn } from "./arns";

interface Draft {
  readonly from: "given" | "new";
  readonly role: string;
}

export function ExecutionRole({ found, reload }: SectionProps) {
  const place = useConsole();
  const arn = found.Role ?? "", name = nameIn(arn), account = accountIn(arn), isOwn = account === place.session.account;
  /** A role that was made before something else went wrong: trying again takes it. */
  const made = useRef<string>(undefined);
  const save = async ({ from, role }: Draft) => {
    if (from === "new") made.current ??= await createBasicRole(place, found.FunctionName ?? "");
    await updateConfiguration(place, found, { Role: from === "new" ? made.current : role });
    made.current = undefined;
  };
  return (
    <Settings<Draft>
      title="Execution role" description="What the function may do on AWS's API." start={() => ({ from: "given", role: arn })} check={check}
      save={save} saved={reload} closed={closedNow(found)}
      form={({ draft, change, problems }) => (
        <>
          <RadioGroup
            value={draft.from} ariaLabel="Execution role" onChange={({ detail }) => change({ from: detail.value as Draft["from"] })}
            items={[
              { value: "given", label: "Use an existing role" },
              { value: "new", label: "Create a role for me", description: "It may write the function's log." },
            ]}
          />
          {draft.from === "given" && (
            <FormField label="Existing role" description="Of the account's roles, those that trust Lambda; or an ARN." errorText={problems.role}>
              <RoleInput role={draft.role} onChange={(role) => change({ role })} />
            </FormField>
          )}
        </>
      )}
    >
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={2}
          items={[
            { label: "Role name", value: isOwn ? <ItemLink section="roles" item={name} /> : name },
            { label: "Role ARN", value: <Copied text={arn} what="the role's ARN" /> },
          ]}
        />
        <Box variant="h3">What the role allows</Box>
        {isOwn
          ? <RolePolicies role={name} />
          : <Alert type="info">The role belongs to account {account}. What it allows can be seen there.</Alert>}
      </SpaceBetween>
    </Settings>
  );
}

function check({ from, role }: Draft): Problems<Draft> {
  return from === "given" && !role.startsWith("arn:") ? { role: "A role is named by its ARN: arn:aws:iam::000000000000:role/name." } : {};
}
