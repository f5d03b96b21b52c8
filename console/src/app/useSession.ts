/** Who calls: begins with what is remembered, changes with roles, ends with its credentials. */

import { useCallback, useEffect, useState } from "react";
import { watchEnding } from "../api/ending";
import { type Problem, isEnded, problemOf } from "../api/errors";
import { whoIs } from "../api/identity";
import { type Session, anybody, chosenAccount, forgetSession, isKept, keepSession, keptSession } from "../api/session";
import type { Notify } from "./notifications";

export interface Sessions {
  readonly session?: Session;
  /** Why the last one ended, if not by signing out. */
  readonly ended?: Problem;
  readonly begin: (session: Session) => void;
  /** To a role's session, or back from it. */
  readonly change: (session: Session) => void;
  readonly signOut: () => void;
}

/** `verified`: whether the server checks who calls; absent until that is known. */
export function useSession(verified: boolean | undefined, region: string, notify: Notify): Sessions {
  const [session, setSession] = useState<Session>();
  const [ended, setEnded] = useState<Problem>();
  const change = useCallback((next: Session) => {
    if (isKept()) keepSession(next);
    setSession(next);
  }, []);
  const begin = useCallback((next: Session) => { setEnded(undefined); setSession(next); }, []);
  const signOut = useCallback(() => { forgetSession(); setEnded(undefined); setSession(undefined); }, []);
  useEffect(() => {
    if (verified !== undefined) setSession(verified ? keptSession() : anybody(chosenAccount()));
  }, [verified]);

  useEffect(() => {
    if (!verified || session === undefined) return undefined;
    let looking = false, left = false;
    const unwatch = watchEnding(async () => {
      if (looking) return;
      looking = true;
      const problem = await whyEnded(session, region);
      looking = false;
      if (problem === undefined || left) return;
      if (session.from) {
        change(session.from);
        notify("warning", `${problem.code}: ${problem.message}`, `The session of ${session.arn} is over`);
      } else {
        forgetSession();
        setEnded(problem);
        setSession(undefined);
      }
    });
    return () => {
      left = true;
      unwatch();
    };
  }, [verified, session, region, notify, change]);
  return { session, ended, begin, change, signOut };
}

/** The refused call may have been one of a session before: the server is asked about this one. */
async function whyEnded(session: Session, region: string): Promise<Problem | undefined> {
  try {
    await whoIs({ session, region });
    return undefined;
  } catch (error) {
    const problem = problemOf(error);
    return isEnded(problem) ? problem : undefined;
  }
}
