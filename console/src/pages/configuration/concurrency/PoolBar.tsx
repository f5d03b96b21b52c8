/** The account's pool as a bar: what this function has of it, what others have, and what is left. */

import Box from "@cloudscape-design/components/box";
import { type Shares, widths } from "./pool";

export function PoolBar({ shares: { own, others, unreserved, limit } }: { shares: Shares }) {
  const parts = [
    { id: "own", label: "This function", count: own },
    { id: "others", label: "Other functions", count: others },
    { id: "unreserved", label: "Unreserved", count: unreserved },
  ];
  const drawn = widths(parts.map(({ count }) => count));
  const told = parts.map(({ label, count }) => `${label}: ${count}`).join(", ");
  return (
    <div>
      <Box variant="awsui-key-label">Concurrency of the account: {limit}</Box>
      <div className="pool" role="img" aria-label={`Of ${limit}. ${told}`}>
        {parts.map(({ id }, index) => <div key={id} className={`pool-${id}`} style={{ inlineSize: `${drawn[index]}%` }} />)}
      </div>
      <div className="pool-legend" aria-hidden="true">
        {parts.map(({ id, label, count }) => (
          <span key={id}><span className={`pool-key pool-${id}`} /> {label}: {count}</span>
        ))}
      </div>
    </div>
  );
}
