/** One file of a package in the editor, or why it is not shown. */

import Box from "@cloudscape-design/components/box";
import { useMemo } from "react";
import { LazyEditor } from "../../components/LazyEditor";
import { contentOf } from "../../packages/files";
import type { Files } from "../../packages/workspace";

const CLOSED = {
  large: "This file is larger than 1 MB, the most that is edited here.",
  binary: "This file is not text.",
  link: "This is a symbolic link.",
};

/** Without `onChange` it is only shown. */
export function OpenFile({ files, path, onChange, onSave }: {
  files: Files; path: string | undefined; onChange?: (text: string) => void; onSave?: () => void;
}) {
  const file = path === undefined ? undefined : files.get(path);
  const content = useMemo(() => file && contentOf(file), [file]);
  if (file === undefined || content === undefined) return <Box padding="l">Choose a file.</Box>;
  if (content.kind !== "text") return <Box padding="l">{CLOSED[content.kind]}</Box>;
  return <LazyEditor id={file.path} label={`Text of ${file.path}`} text={content.text} onChange={onChange} onSave={onSave} />;
}
