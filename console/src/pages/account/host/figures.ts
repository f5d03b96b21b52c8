/** Memory and disk of the host as bars. Pure. */

import type { Host } from "../../../api/host";
import { size } from "../../../components/format";

export interface Gauge {
  readonly label: string;
  /** Percent. */
  readonly value: number;
  readonly text: string;
}

export function gaugesOf({ Memory, Disk }: Host): Gauge[] {
  return [
    {
      label: "Memory", value: used(Memory.Total, Memory.Available),
      text: `${size(Memory.Available)} of ${size(Memory.Total)} available; the server takes ${size(Memory.Server)}`,
    },
    {
      label: "Disk of the data directory", value: used(Disk.Total, Disk.Free),
      text: `${size(Disk.Free)} of ${size(Disk.Total)} free; ${size(Disk.Reserve)} are kept for what is there${Disk.Full ? ". It is full: nothing new is taken" : ""}`,
    },
  ];
}

/** "2 busy, 1 idle", or that there are none. */
export function environmentsText(counts: Host["Environments"]): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0).sort().map(([state, count]) => `${count} ${state}`);
  return parts.join(", ") || "none";
}

function used(total: number, free: number): number {
  return total <= 0 ? 0 : Math.round(100 * (1 - free / total));
}
