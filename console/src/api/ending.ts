/** Tells those who watch that a call was refused because of its credentials. Whether the session is over, they find out. */

const listeners = new Set<() => void>();

export function watchEnding(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function reportEnded(): void {
  for (const listener of listeners) listener();
}
