/** An alias as it is typed. Pure. Sources of rules: the API's constraints of CreateAlias, and of routing. */

import type { AliasConfiguration, Target } from "../../api/aliases";
import { LATEST } from "../../app/places";
import type { Problems } from "../../components/EditForm";

export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  /** Nothing, where all invocations go to `version`. */
  readonly additional: string;
  /** Percent of the invocations that go to `additional`. */
  readonly percent: string;
}

export function draftOf({ Name = "", Description = "", FunctionVersion = "", RoutingConfig }: AliasConfiguration): Draft {
  const [additional = "", weight = 0] = Object.entries(RoutingConfig?.AdditionalVersionWeights ?? {})[0] ?? [];
  return { name: Name, description: Description, version: FunctionVersion, additional, percent: String(Number((weight * 100).toFixed(4))) };
}

export function targetOf({ description, version, additional, percent }: Draft): Target {
  return {
    description, version, additional: additional === "" ? undefined : { version: additional, weight: Number((Number(percent) / 100).toFixed(6)) },
  };
}

export function problemsOf({ name, version, additional, percent }: Draft): Problems<Draft> {
  const found: Problems<Draft> = {};
  if (!/^(?![0-9]+$)[a-zA-Z0-9-_]{1,128}$/.test(name)) {
    found.name = "A name has 1 to 128 characters: letters without accents, digits, hyphens and underscores, and not digits alone.";
  }
  if (version === "") found.version = "Choose a version.";
  if (additional === "") return found;
  if (additional === version) found.additional = "Choose another version than the first.";
  else if (version === LATEST) found.additional = "Shares are between published versions, and the first is $LATEST.";
  if (!isPercent(percent)) found.percent = "A number from 0 to 100.";
  return found;
}

export function isPercent(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text) && Number(text) <= 100;
}
