/** The versions of a function, or two of them beside one another. */

import { LATEST } from "../../app/places";
import type { Qualifiers } from "../function/useQualifiers";
import { Comparison } from "./Comparison";
import { VersionList } from "./VersionList";

/** `compared`: as it is in the address, `1...$LATEST`. */
export default function VersionsTab({ name, compared, qualifiers, onChanged }: {
  name: string; compared?: string; qualifiers: Qualifiers; onChanged: () => void;
}) {
  if (compared === undefined) return <VersionList name={name} qualifiers={qualifiers} onChanged={onChanged} />;
  const [before = LATEST, after = LATEST] = compared.split("...");
  return <Comparison name={name} before={before} after={after} qualifiers={qualifiers} />;
}
