/** One of the account's roles, or an ARN. */

import Autosuggest from "@cloudscape-design/components/autosuggest";
import { useCallback } from "react";
import { documentText, trustedBy } from "../../../api/iam/document";
import { type Role, listRoles } from "../../../api/iam/roles";
import { useConsole } from "../../../app/context";
import { useLoad } from "../../../components/useLoad";

export function RoleInput({ role, onChange }: { role: string; onChange: (role: string) => void }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => listRoles(place), [place]));
  const roles = loaded.state === "ready" ? loaded.value.filter(trustsLambda) : [];
  return (
    <Autosuggest
      value={role}
      onChange={({ detail }) => onChange(detail.value.trim())}
      filteringType="manual"
      options={offered(roles, role).map(({ Arn = "", RoleName }) => ({ value: Arn, label: RoleName, description: Arn }))}
      statusType={loaded.state === "ready" ? "finished" : loaded.state === "failed" ? "error" : "loading"}
      loadingText="Loading the roles"
      errorText={loaded.state === "failed" ? loaded.problem.message : undefined}
      recoveryText="Try again"
      onLoadItems={({ detail }) => detail.samePage && reload()}
      enteredTextLabel={(text) => `Use ${text}`}
      empty={roles.length === 0 ? "No role of the account trusts Lambda." : "No role is like that."}
      placeholder="arn:aws:iam::000000000000:role/name"
    />
  );
}

/** All of them, beside one that is chosen; else those that what is typed is part of. */
function offered(roles: readonly Role[], typed: string): readonly Role[] {
  return roles.some(({ Arn }) => Arn === typed) ? roles : roles.filter(({ Arn }) => Arn?.toLowerCase().includes(typed.toLowerCase()));
}

function trustsLambda({ AssumeRolePolicyDocument }: Role): boolean {
  return trustedBy(documentText(AssumeRolePolicyDocument)).includes("lambda.amazonaws.com");
}
