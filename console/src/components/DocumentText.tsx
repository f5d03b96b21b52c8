/** A policy's document, to be read. */

export function DocumentText({ label, text }: { label: string; text: string }) {
  return <pre className="text" tabIndex={0} role="region" aria-label={label}>{text}</pre>;
}
