/** The policies of a user, a group or a role: attached ones and its own, with their documents. */

import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { type HeldPolicy, type Holder, documentOf, drop, heldBy } from "../../../api/iam/policies";
import { useConsole } from "../../../app/context";
import { ConfirmButton } from "../../../components/ConfirmButton";
import { DocumentText } from "../../../components/DocumentText";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import { ItemLink } from "../ItemLink";
import { AttachDialog } from "./AttachDialog";
import { OwnPolicyDialog } from "./OwnPolicyDialog";

type Asked = { readonly kind: "attach" | "own" } | { readonly kind: "edit"; readonly held: HeldPolicy; readonly text: string };

export function Held({ holder }: { holder: Holder }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => heldBy(place, holder), [place, holder]));
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const done = () => { close(); reload(); };
  const add = (
    <ButtonDropdown
      items={[{ id: "attach", text: "Attach policies" }, { id: "own", text: "Create inline policy" }]}
      onItemClick={({ detail }) => setAsked({ kind: detail.id as "attach" | "own" })}
    >
      Add permissions
    </ButtonDropdown>
  );
  return (
    <Container header={<Header variant="h2" description="What nothing allows is denied." actions={add}>Permissions policies</Header>}>
      <Shown loaded={loaded} reload={reload} what="the policies">
        {(all) => (all.length === 0 ? <>There is no policy here.</> : (
          <SpaceBetween size="xs">
            {all.map((held) => (
              <OnePolicy
                key={held.arn ?? held.name} holder={holder} held={held} onDropped={reload}
                onEdit={(text) => setAsked({ kind: "edit", held, text })}
              />
            ))}
          </SpaceBetween>
        ))}
      </Shown>
      {asked?.kind === "attach" && <AttachDialog holder={holder} onDone={done} onClose={close} />}
      {asked?.kind === "own" && <OwnPolicyDialog holder={holder} onDone={done} onClose={close} />}
      {asked?.kind === "edit" && <OwnPolicyDialog holder={holder} name={asked.held.name} text={asked.text} onDone={done} onClose={close} />}
    </Container>
  );
}

function OnePolicy({ holder, held, onDropped, onEdit }: { holder: Holder; held: HeldPolicy; onDropped: () => void; onEdit: (text: string) => void }) {
  const [opened, setOpened] = useState(false);
  return (
    <ExpandableSection
      headerText={held.name} headerDescription={held.arn === undefined ? "Inline" : "Managed"} variant="container" headingTagOverride="h3"
      onChange={({ detail }) => detail.expanded && setOpened(true)}
    >
      {opened && <Document holder={holder} held={held} onDropped={onDropped} onEdit={onEdit} />}
    </ExpandableSection>
  );
}

function Document({ holder, held, onDropped, onEdit }: { holder: Holder; held: HeldPolicy; onDropped: () => void; onEdit: (text: string) => void }) {
  const place = useConsole();
  const { loaded, reload } = useLoad(useCallback(() => documentOf(place, holder, held), [place, holder, held]));
  const { name, arn } = held;
  const verb = arn === undefined ? "Delete" : "Detach";
  return (
    <SpaceBetween size="s">
      <Shown loaded={loaded} reload={reload} what="the document">{(text) => <DocumentText label={`Document of ${name}`} text={text} />}</Shown>
      <SpaceBetween direction="horizontal" size="s" alignItems="center">
        {arn === undefined ? (
          <Button
            ariaLabel={`Edit ${name}`} disabled={loaded.state !== "ready"} disabledReason="The document is not there."
            onClick={() => loaded.state === "ready" && onEdit(loaded.value)}
          >
            Edit
          </Button>
        ) : <ItemLink section="policies" item={arn} text="Open the policy" />}
        <ConfirmButton
          name={`${verb} ${name}`} header={`${verb} ${arn === undefined ? "inline policy" : "policy"} ${name}`} run={() => drop(place, holder, held)}
          question={`What only this policy allows is denied to ${holder.name} from the next request on.`}
          done={`The policy ${name} is ${arn === undefined ? "deleted" : "detached"}.`} after={onDropped}
        >
          {verb}
        </ConfirmButton>
      </SpaceBetween>
    </SpaceBetween>
  );
}
