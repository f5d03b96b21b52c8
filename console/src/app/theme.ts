/** Light, dark, or as the system has it. */

import { Mode, applyMode } from "@cloudscape-design/global-styles";

export type Theme = "system" | "light" | "dark";

const STORED = "ingle.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<(dark: boolean) => void>();

export function theme(): Theme {
  const stored = localStorage.getItem(STORED);
  return stored === "light" || stored === "dark" ? stored : "system";
}

export function isDark(): boolean {
  return theme() === "dark" || (theme() === "system" && system.matches);
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(STORED, chosen);
  apply();
}

export function watchTheme(listener: (dark: boolean) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function startTheme(): void {
  system.addEventListener("change", apply);
  apply();
}

function apply(): void {
  applyMode(isDark() ? Mode.Dark : Mode.Light);
  for (const listener of listeners) listener(isDark());
}
