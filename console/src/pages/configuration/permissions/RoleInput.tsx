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
      options={roles.map(({ Arn = "", RoleName }) => ({ value: Arn, label: RoleName, description: Arn }))}
      statusType={loaded.state === "ready" ? "finished" : loaded.state === "failed" ? "error" : "loading"}
      loadingText="Loading the roles"
      errorText={loaded.state === "failed" ? loaded.problem.message : undefined}
      recoveryText="Try again"
      onLoadItems={({ detail }) => detail.samePage && reload()}
      enteredTextLabel={(text) => `Use ${text}`}
      empty="No role of the account trusts Lambda."
      placeholder="arn:aws:iam::000000000000:role/name"
    />
  );
}

function trustsLambda({ AssumeRolePolicyDocument }: Role): boolean {
  return trustedBy(documentText(AssumeRolePolicyDocument)).includes("lambda.amazonaws.com");
}
