/** The aliases of a function, or one of them. */

import type { Qualifiers } from "../function/useQualifiers";
import { AliasDetail } from "./AliasDetail";
import { AliasList } from "./AliasList";

export default function AliasesTab({ alias, ...props }: { name: string; alias?: string; qualifiers: Qualifiers; onChanged: () => void }) {
  return alias === undefined ? <AliasList {...props} /> : <AliasDetail key={alias} alias={alias} {...props} />;
}
