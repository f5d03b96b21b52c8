/** Edits pairs of a key and a value, as rows. A row that is added is where one types next. */

import AttributeEditor, { type AttributeEditorProps } from "@cloudscape-design/components/attribute-editor";
import Button from "@cloudscape-design/components/button";
import Input, { type InputProps } from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useEffect, useRef } from "react";

export interface Pair {
  readonly key: string;
  readonly value: string;
}

export function PairsEditor({ rows, one, most, problemOf, valueLabel = "Value", rowAction, additionalInfo, additionalActions, onChange }: {
  rows: readonly Pair[];
  /** What a pair is called within a sentence: "tag". */
  one: string;
  most?: number;
  /** What is wrong with the key of a row. */
  problemOf: (index: number) => string | undefined;
  valueLabel?: string;
  /** Beside the button that removes the row. */
  rowAction?: (row: Pair, index: number) => ReactNode;
  additionalInfo?: ReactNode;
  additionalActions?: ReactNode;
  onChange: (rows: readonly Pair[]) => void;
}) {
  const editor = useRef<AttributeEditorProps.Ref>(null), last = useRef<InputProps.Ref>(null);
  const added = useRef(false);
  useEffect(() => {
    if (added.current) last.current?.focus();
    added.current = false;
  }, [rows.length]);
  const change = (index: number, part: Partial<Pair>) => onChange(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const remove = (index: number) => {
    onChange(rows.filter((_, at) => at !== index));
    if (rows.length === 1) editor.current?.focusAddButton();
    else editor.current?.focusRemoveButton(Math.max(index - 1, 0));
  };
  const input = (part: "key" | "value", label: string) => (row: Pair, index: number) => (
    <Input
      ref={part === "key" && index === rows.length - 1 ? last : undefined}
      ariaLabel={`${label} ${index + 1}`} value={row[part]} spellcheck={false} autoComplete={false}
      onChange={({ detail }) => change(index, { [part]: detail.value })}
    />
  );
  return (
    <AttributeEditor<Pair>
      ref={editor}
      items={rows}
      empty={`No ${one} yet.`}
      gridLayout={[
        { breakpoint: "xs", rows: [[1, 1]], removeButton: { width: "auto" } },
        { rows: [[1], [1]], removeButton: { ownRow: true } },
      ]}
      addButtonText={`Add ${one}`}
      disableAddButton={most !== undefined && rows.length >= most}
      onAddButtonClick={() => { added.current = true; onChange([...rows, { key: "", value: "" }]); }}
      definition={[
        { label: "Key", control: input("key", "Key"), errorText: (_, index) => problemOf(index) },
        { label: valueLabel, control: input("value", valueLabel) },
      ]}
      customRowActions={({ item, itemIndex, ref }) => (
        <SpaceBetween direction="horizontal" size="xs">
          {rowAction?.(item, itemIndex)}
          <Button
            ref={ref} formAction="none" ariaLabel={`Remove ${one} ${item.key || itemIndex + 1}`} onClick={() => remove(itemIndex)}
          >
            Remove
          </Button>
        </SpaceBetween>
      )}
      additionalInfo={additionalInfo}
      additionalActions={additionalActions}
      i18nStrings={{ itemRemovedAriaLive: `The ${one} is removed.` }}
    />
  );
}
