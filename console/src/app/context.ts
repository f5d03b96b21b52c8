/** What pages are given: where they are, and how they tell. */

import { createContext, useContext } from "react";
import type { Place } from "../api/clients";
import type { Notify } from "./notifications";

export interface Console extends Place {
  readonly notify: Notify;
}

export const ConsoleContext = createContext<Console | undefined>(undefined);

/** The same object until the session or the region changes: effects may depend on it. */
export function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (found === undefined) throw new Error("outside of the console");
  return found;
}
