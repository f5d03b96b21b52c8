/** The policies of a role, each with its document, and whom it trusts. */

import Alert from "@cloudscape-design/components/alert";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { documentText } from "../../../api/iam/document";
import { type HeldPolicy, documentOf, heldBy } from "../../../api/iam/policies";
import { getRole } from "../../../api/iam/roles";
import { useConsole } from "../../../app/context";
import { DocumentText } from "../../../components/DocumentText";
import { ProblemText } from "../../../components/ProblemAlert";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import { isOfAws } from "../../account/policies/origin";
import { nameIn } from "./arns";

export function RolePolicies({ role }: { role: string }) {
  const place = useConsole();
  const load = useCallback(async () => {
    const found = await getRole(place, role);
    return { found, held: await heldBy(place, { kind: "role", name: role }) };
  }, [place, role]);
  const { loaded, reload } = useLoad(load);
  if (loaded.state === "failed" && loaded.problem.code?.startsWith("NoSuchEntity")) {
    return <Alert type="info" header="IAM does not have this role"><ProblemText problem={loaded.problem} /></Alert>;
  }
  return (
    <Shown loaded={loaded} what="the role's policies" reload={reload}>
      {({ found, held }) => {
        const boundary = found.PermissionsBoundary?.PermissionsBoundaryArn;
        return (
          <SpaceBetween size="xs">
            {held.length === 0 && <Alert type="info">The role has no policies: it allows nothing.</Alert>}
            {held.map((each) => <Policy key={each.arn ?? each.name} role={role} held={each} description={kindOf(each)} />)}
            {boundary !== undefined && (
              <Policy role={role} held={{ name: nameIn(boundary), arn: boundary }} description="Permissions boundary: the most that the role can allow" />
            )}
            <ExpandableSection variant="footer" headerText="Trust relationship" headerDescription="Who may become the role">
              <DocumentText label="Trust relationship" text={documentText(found.AssumeRolePolicyDocument)} />
            </ExpandableSection>
          </SpaceBetween>
        );
      }}
    </Shown>
  );
}

function kindOf({ arn }: HeldPolicy): string {
  if (arn === undefined) return "Inline policy";
  return isOfAws(arn) ? "AWS managed policy" : "Customer managed policy";
}

function Policy({ role, held, description }: { role: string; held: HeldPolicy; description: string }) {
  const [opened, setOpened] = useState(false);
  return (
    <ExpandableSection
      variant="footer" headerText={held.name} headerDescription={description} onChange={({ detail }) => detail.expanded && setOpened(true)}
    >
      {opened && <Document role={role} held={held} />}
    </ExpandableSection>
  );
}

function Document({ role, held }: { role: string; held: HeldPolicy }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => documentOf(place, { kind: "role", name: role }, held), [place, role, held]));
  return (
    <Shown loaded={loaded} what="the document" reload={reload}>
      {(text) => <DocumentText label={`Document of ${held.name}`} text={text} />}
    </Shown>
  );
}
