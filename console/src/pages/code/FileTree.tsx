/** The files of a package, with what has changed, and what can be done with each. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Icon from "@cloudscape-design/components/icon";
import TreeView from "@cloudscape-design/components/tree-view";
import { useState } from "react";
import { type Node, foldersOf } from "../../packages/tree";
import type { Change } from "../../packages/workspace";

const MARKS: Record<Change, string> = { added: "new", changed: "changed", deleted: "deleted" };

export type FileAction = "rename" | "delete";

const UNCHANGED: ReadonlyMap<string, Change> = new Map();

export function FileTree({ nodes, changed = UNCHANGED, chosen, onOpen, onAction }: {
  nodes: readonly Node[];
  changed?: ReadonlyMap<string, Change>;
  chosen: string | undefined;
  onOpen: (path: string) => void;
  /** Without it files are only opened. */
  onAction?: (action: FileAction, path: string) => void;
}) {
  const [expanded, setExpanded] = useState<readonly string[]>(() => (chosen === undefined ? [] : foldersOf(chosen)));
  const toggle = (path: string, open: boolean) =>
    setExpanded((before) => (open ? [...before, path] : before.filter((each) => each !== path)));
  const shown = (node: Node) => {
    const mark = changed.get(node.path);
    return {
      announcementLabel: node.name,
      icon: <Icon name={node.children ? "folder" : "file"} />,
      content: node.children ? node.name : (
        <span aria-current={node.path === chosen ? "true" : undefined} className={node.path === chosen ? "chosen" : undefined}>
          <Button variant="inline-link" ariaLabel={mark ? `${node.path}, ${MARKS[mark]}, not deployed` : node.path} onClick={() => onOpen(node.path)}>
            {node.name}
          </Button>
        </span>
      ),
      secondaryContent: mark && <Box fontSize="body-s" color="text-status-warning">{MARKS[mark]}, not deployed</Box>,
      actions: onAction && (
        <ButtonDropdown
          variant="inline-icon"
          ariaLabel={`Actions for ${node.path}`}
          expandToViewport
          items={[{ id: "rename", text: "Rename" }, { id: "delete", text: "Delete" }]}
          onItemClick={({ detail }) => onAction(detail.id as FileAction, node.path)}
        />
      ),
    };
  };
  return (
    <TreeView<Node>
      ariaLabel="Files"
      items={nodes}
      getItemId={({ path }) => path}
      getItemChildren={({ children }) => (children ? [...children] : undefined)}
      renderItem={shown}
      expandedItems={expanded}
      onItemToggle={({ detail }) => toggle(detail.id, detail.expanded)}
      i18nStrings={{ expandButtonLabel: ({ path }) => `Open ${path}`, collapseButtonLabel: ({ path }) => `Close ${path}` }}
    />
  );
}
