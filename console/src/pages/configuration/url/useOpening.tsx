import { useCallback } from "react";
import { failed } from "../../../api/errors";
import { openToEverybody } from "../../../api/urls";
import { useConsole } from "../../../app/context";
import { ProblemText } from "../../../components/ProblemAlert";

/** Lets everybody use a URL that is there. That this did not work is told: what was done before stays. */
export function useOpening(name: string): (qualifier: string | undefined) => Promise<void> {
  const place = useConsole();
  return useCallback(async (qualifier) => {
    try {
      await openToEverybody(place, name, qualifier);
    } catch (error) {
      place.notify("error", <ProblemText problem={failed(error)} />, "The function URL is not open to everybody");
    }
  }, [place, name]);
}
