/** Attached layers while they are edited: in an order that is changed by dragging or by keyboard. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import List from "@cloudscape-design/components/list";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { FunctionConfiguration } from "../../api/functions";
import type { Editing } from "../../components/EditForm";
import type { LayersDraft } from "./FunctionLayers";
import { LayerPicker } from "./LayerPicker";
import { parsed } from "./arns";

export function LayersForm({ found, editing: { draft: { arns }, change } }: { found: FunctionConfiguration; editing: Editing<LayersDraft> }) {
  const titleOf = (arn: string) => {
    const about = parsed(arn);
    return about === undefined ? arn : `${about.name}, version ${about.version}`;
  };
  return (
    <SpaceBetween size="l">
      {arns.length === 0 ? <Box>No layers</Box> : (
        <List<string>
          ariaLabel="Layers in their order" sortable items={arns}
          onSortingChange={({ detail }) => change({ arns: detail.items })}
          renderItem={(arn) => ({
            id: arn, content: titleOf(arn), secondaryContent: <span className="lines">{arn}</span>, announcementLabel: titleOf(arn),
            actions: <Button iconName="remove" variant="icon" ariaLabel={`Remove ${titleOf(arn)}`} onClick={() => change({ arns: arns.filter((each) => each !== arn) })} />,
          })}
          i18nStrings={{
            dragHandleAriaLabel: "Move",
            dragHandleAriaDescription: "Space or Enter takes it, arrow keys move it, Space or Enter puts it down, Escape leaves it where it was.",
            liveAnnouncementDndStarted: (position, total) => `Taken, at ${position} of ${total}.`,
            liveAnnouncementDndItemReordered: (_, position, total) => `At ${position} of ${total}.`,
            liveAnnouncementDndItemCommitted: (before, after, total) => before === after ? `Put down at ${after} of ${total}.` : `Moved from ${before} to ${after} of ${total}.`,
            liveAnnouncementDndDiscarded: "Left where it was.",
          }}
        />
      )}
      <LayerPicker found={found} arns={arns} onAdd={(arn) => change({ arns: [...arns, arn] })} />
    </SpaceBetween>
  );
}
