/** What a code signing configuration says. */

import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import type { CodeSigningConfig } from "../../../api/signing";
import { Time } from "../../../components/Time";
import { moment } from "../../../components/format";

const POLICIES: Record<string, string> = {
  Enforce: "Enforce: what is not signed by them is refused",
  Warn: "Warn: what is not signed by them is deployed, and told in the server's log",
};

export function SigningConfig({ config }: { config: CodeSigningConfig }) {
  const policy = config.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? "Warn";
  return (
    <KeyValuePairs
      columns={2}
      items={[
        { label: "Configuration ARN", value: config.CodeSigningConfigArn },
        { label: "Description", value: config.Description || "-" },
        { label: "Signature validation policy", value: POLICIES[policy] ?? policy },
        { label: "Last modified", value: <Time at={moment(config.LastModified ?? "")} /> },
        { label: "Allowed publishers", value: (config.AllowedPublishers?.SigningProfileVersionArns ?? []).map((arn) => <div key={arn}>{arn}</div>) },
      ]}
    />
  );
}
