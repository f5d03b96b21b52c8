/** Colours of code, each with enough contrast to what is behind it. */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { oneDarkTheme } from "@codemirror/theme-one-dark";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

function colours(keyword: string, text: string, special: string, literal: string, name: string, type: string, comment: string): Extension {
  return syntaxHighlighting(
    HighlightStyle.define([
      { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: keyword },
      { tag: [tags.string, tags.docString], color: text },
      { tag: [tags.special(tags.string), tags.regexp, tags.escape], color: special },
      { tag: [tags.number, tags.bool, tags.null, tags.atom], color: literal },
      { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.propertyName], color: name },
      { tag: [tags.typeName, tags.className, tags.tagName], color: type },
      { tag: [tags.comment, tags.lineComment, tags.blockComment], color: comment },
    ]),
  );
}

const LIGHT = [
  colours("#7a0099", "#a11111", "#a83200", "#0b5d3b", "#0000b8", "#085b6b", "#5c6166"),
  EditorView.theme({ ".cm-gutters": { color: "#5c6166" } }),
];
const DARK = [
  colours("#d7a3ec", "#a9d18e", "#e3b27c", "#e0a876", "#85c1f5", "#e9cf8f", "#a6aebb"), oneDarkTheme,
  EditorView.theme({ ".cm-gutters": { color: "#a6aebb" } }, { dark: true }),
];

export function highlighting(dark: boolean): Extension {
  return dark ? DARK : LIGHT;
}
