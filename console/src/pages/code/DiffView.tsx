/** What changed between two texts, line by line: CodeMirror's view of changes, in a shadow root as the editor is. */

import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { goToNextChunk, goToPreviousChunk, unifiedMergeView } from "@codemirror/merge";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { isDark, watchTheme } from "../../app/theme";
import { highlighting } from "./highlighting";
import { languageOf } from "./languages";

const COLOURS = EditorView.theme({
  "&": { maxHeight: "60vh", fontSize: "14px" },
  ".cm-scroller": { overflow: "auto" },
  ".cm-deletedChunk": { backgroundColor: "rgba(238, 68, 51, .12)" },
  "&.cm-merge-b .cm-changedLine": { backgroundColor: "rgba(34, 187, 34, .12)" },
  "&.cm-merge-b .cm-deletedText": { background: "rgba(238, 68, 51, .12)" },
});

/** Lines that are gone are above those that came in their place. */
export default function DiffView({ path, before, after }: { path: string; before: string; after: string }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  useEffect(() => {
    const element = host.current!;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const theme = new Compartment();
    const made = new EditorView({
      root,
      parent: root as unknown as Element,
      state: EditorState.create({
        doc: after,
        extensions: [
          basicSetup, EditorState.readOnly.of(true), languageOf(path), theme.of(highlighting(isDark())), COLOURS,
          EditorView.contentAttributes.of({ "aria-label": `Changes of ${path}` }),
          unifiedMergeView({ original: before, mergeControls: false, diffConfig: { scanLimit: 5000, timeout: 2000 } }),
        ],
      }),
    });
    view.current = made;
    const unwatch = watchTheme((dark) => made.dispatch({ effects: theme.reconfigure(highlighting(dark)) }));
    return () => {
      unwatch();
      made.destroy();
    };
  }, [path, before, after]);
  const go = (command: (view: EditorView) => boolean) => () => {
    if (view.current === undefined) return;
    command(view.current);
    view.current.focus();
  };
  return (
    <SpaceBetween size="xs">
      <SpaceBetween direction="horizontal" size="xs">
        <Button iconName="angle-up" onClick={go(goToPreviousChunk)}>Previous change</Button>
        <Button iconName="angle-down" onClick={go(goToNextChunk)}>Next change</Button>
      </SpaceBetween>
      <div ref={host} className="editor" />
    </SpaceBetween>
  );
}
