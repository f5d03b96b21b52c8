/** A function's test events of both kinds: this browser's own ones, and those that the account shares. */

import { useCallback, useState } from "react";
import type { Problem } from "../../api/errors";
import { deleteShared, share, sharedBody, sharedNames } from "../../api/testEvents";
import { useConsole } from "../../app/context";
import { useLoad } from "../../components/useLoad";
import type { Kind } from "./choice";
import { saveEvents, savedEvents, withEvent } from "./events";

export interface TestEvents {
  /** Names. */
  readonly own: readonly string[];
  readonly shared: readonly string[];
  readonly loading: boolean;
  /** Why shared ones are not known. */
  readonly problem?: Problem;
  readonly body: (kind: Kind, name: string) => Promise<string>;
  readonly save: (kind: Kind, name: string, body: string) => Promise<void>;
  readonly remove: (kind: Kind, name: string) => Promise<void>;
}

export function useTestEvents(functionName: string): TestEvents {
  const place = useConsole();
  const [saved, setSaved] = useState(() => savedEvents(place, functionName));
  const { loaded, reload } = useLoad(useCallback(() => sharedNames(place, functionName), [place, functionName]));
  const keep = (events: typeof saved) => {
    saveEvents(place, functionName, events);
    setSaved(events);
  };
  return {
    own: saved.map(({ name }) => name),
    shared: loaded.state === "ready" ? loaded.value : [],
    loading: loaded.state === "loading",
    problem: loaded.state === "failed" ? loaded.problem : undefined,
    body: async (kind, name) => (
      kind === "shared" ? sharedBody(place, functionName, name) : (saved.find((each) => each.name === name)?.body ?? "")
    ),
    save: async (kind, name, body) => {
      if (kind === "private") return keep(withEvent(saved, { name, body }));
      await share(place, functionName, name, body);
      reload();
    },
    remove: async (kind, name) => {
      if (kind === "private") return keep(saved.filter((each) => each.name !== name));
      await deleteShared(place, functionName, name);
      reload();
    },
  };
}
