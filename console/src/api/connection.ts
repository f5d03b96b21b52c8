/** Whether the server answers. A lost connection is looked at until it is back; pages are told both times. */

const BETWEEN_LOOKS = 1000;

export interface Health {
  readonly version: string;
  readonly authentication: "none" | "iam";
}

type Listener = (connected: boolean) => void;

let connected = true;
const listeners = new Set<Listener>();

export async function health(): Promise<Health> {
  const answer = await fetch("/_ingle/health", { cache: "no-store", credentials: "omit" });
  return (await answer.json()) as Health;
}

export function watchConnection(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function reportUnreachable(): void {
  if (!connected) return;
  tell(false);
  setTimeout(look, BETWEEN_LOOKS);
}

function tell(now: boolean): void {
  connected = now;
  for (const listener of listeners) listener(now);
}

async function look(): Promise<void> {
  try {
    await health();
  } catch {
    setTimeout(look, BETWEEN_LOOKS);
    return;
  }
  tell(true);
}
