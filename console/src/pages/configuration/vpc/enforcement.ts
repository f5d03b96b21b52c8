/** Whether a server enforces what networks say. Pure. */

import type { Host } from "../../../api/host";

/** Why not, as far as the machine tells; undefined where it does. */
export function unenforced({ Isolation, Checks }: Pick<Host, "Isolation" | "Checks">): string | undefined {
  const nftables = Checks.find(({ Subject }) => Subject === "nftables");
  if (Isolation !== "root") return `Functions are kept apart as isolation ${Isolation} does it, and security groups take isolation root.`;
  return nftables === undefined || nftables.State === "ok" ? undefined : `nftables: ${nftables.Detail}.`;
}
