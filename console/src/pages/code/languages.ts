/** What a file is highlighted as, by the end of its name. */

import { html } from "@codemirror/lang-html";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import type { Extension } from "@codemirror/state";

const LANGUAGES: Record<string, () => Extension> = {
  py: python, js: javascript, mjs: javascript, cjs: javascript, json, yaml, yml: yaml, html, htm: html,
  ts: () => javascript({ typescript: true }), tsx: () => javascript({ typescript: true, jsx: true }), jsx: () => javascript({ jsx: true }),
};

export function languageOf(path: string): Extension {
  return LANGUAGES[path.split(".").pop() ?? ""]?.() ?? [];
}
