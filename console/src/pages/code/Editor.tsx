/** CodeMirror. Loaded when a file is opened first.
 *
 * It lives in a shadow root: there its styles are sheets made by script, which the page's policy allows, where `<style>`
 * elements are not.
 */

import { indentWithTab } from "@codemirror/commands";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { isDark, watchTheme } from "../../app/theme";
import { lineSeparator } from "./lines";
import { highlighting } from "./highlighting";
import { languageOf } from "./languages";

interface Props {
  /** Another document is opened when this changes. */
  id: string;
  label: string;
  text: string;
  /** Without it nothing can be changed. */
  onChange?: (text: string) => void;
  onSave?: () => void;
  height?: string;
}

export default function Editor({ id, label, text, onChange, onSave, height = "60vh" }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, onSave });
  latest.current = { onChange, onSave };

  useEffect(() => {
    const element = host.current!;
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
    const theme = new Compartment();
    const made = new EditorView({
      root,
      parent: root as unknown as Element,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorState.lineSeparator.of(lineSeparator(text)),
          keymap.of([{ key: "Mod-s", run: () => (latest.current.onSave?.(), true) }]),
          basicSetup,
          onChange === undefined ? EditorState.readOnly.of(true) : [],
          keymap.of([indentWithTab]),
          languageOf(id),
          theme.of(highlighting(isDark())),
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.theme({ "&": { height, fontSize: "14px" }, ".cm-scroller": { overflow: "auto" } }),
          EditorView.updateListener.of((update) => update.docChanged && latest.current.onChange?.(update.state.sliceDoc())),
        ],
      }),
    });
    view.current = made;
    const unwatch = watchTheme((dark) => made.dispatch({ effects: theme.reconfigure(highlighting(dark)) }));
    return () => {
      unwatch();
      made.destroy();
    };
    // The document belongs to the editor until another one is opened.
  }, [id]);

  useEffect(() => {
    const made = view.current;
    // Changed from outside: another event was chosen, a file was uploaded in its place.
    if (made && made.state.sliceDoc() !== text) {
      made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: text } });
    }
  }, [text]);

  return <div ref={host} className="editor" />;
}
