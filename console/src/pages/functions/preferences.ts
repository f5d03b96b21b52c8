/** How somebody wants the list, kept in the browser. */

import type { CollectionPreferencesProps } from "@cloudscape-design/components/collection-preferences";
import { useState } from "react";
import { CONTENT, SHOWN_FIRST } from "./columns";

const STORED = "ingle.functions.preferences";

const USUAL: CollectionPreferencesProps.Preferences = {
  pageSize: 50,
  wrapLines: false,
  contentDisplay: CONTENT.options.map(({ id }) => ({ id, visible: SHOWN_FIRST.includes(id) })),
};

export function usePreferences() {
  const [preferences, setPreferences] = useState<CollectionPreferencesProps.Preferences>(() => {
    try {
      return { ...USUAL, ...JSON.parse(localStorage.getItem(STORED) ?? "{}") };
    } catch {
      return USUAL;
    }
  });
  const change = (chosen: CollectionPreferencesProps.Preferences) => {
    localStorage.setItem(STORED, JSON.stringify(chosen));
    setPreferences(chosen);
  };
  return [preferences, change] as const;
}
