/** CodeMirror. Loaded when a file is opened first.
 *
 * It lives in a shadow root: there its styles are sheets made by script, which the page's policy allows, where `<style>`
 * elements are not.
 */

import { indentWithTab } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { isDark, watchTheme } from "../../app/theme";
import { lineSeparator } from "./lines";
import { highlighting } from "./highlighting";

const LANGUAGES: Record<string, () => Extension> = {
  py: python, js: javascript, mjs: javascript, cjs: javascript, json, yaml, yml: yaml, html, htm: html,
  ts: () => javascript({ typescript: true }), tsx: () => javascript({ typescript: true, jsx: true }), jsx: () => javascript({ jsx: true }),
};

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
          LANGUAGES[id.split(".").pop() ?? ""]?.() ?? [],
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
