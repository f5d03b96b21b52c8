import { EditorState } from "@codemirror/state";
import { expect, it } from "vitest";
import { lineSeparator } from "./lines";

it.each(["", "a", "a\nb\n", "a\r\nb\r\n", "a\r\nb\nc", "a\rb", "\r\n", "\ufeffa\n"])("lets an editor give %j back as it was", (text) => {
  const state = EditorState.create({ doc: text, extensions: EditorState.lineSeparator.of(lineSeparator(text)) });
  expect(state.sliceDoc()).toBe(text);
});
