/** What decided about a call, by its record. Pure. */

interface Decision {
  readonly action?: string;
  readonly decision?: string;
  readonly policyType?: string;
  readonly policy?: string;
  readonly statement?: string | number;
}

/** The statement that denied it, or else the ones that allowed it; nothing where nothing was decided. */
export function decidedBy(record: string): string | undefined {
  const decisions = decisionsIn(record);
  const denied = decisions.find(({ decision }) => decision === "deny");
  if (denied) return `${named(denied) ?? "Nothing"} ${denied.policy === undefined ? "allows" : "denies"} ${denied.action}`;
  const names = [...new Set(decisions.map(named).filter((name): name is string => name !== undefined))];
  return names.length === 0 ? undefined : names.join("; ");
}

function named({ policy, statement, policyType }: Decision): string | undefined {
  if (policy === undefined) return undefined;
  return [shortArn(policy), statement === undefined ? undefined : `statement ${statement}`, policyType && `(${policyType})`].filter(Boolean).join(" ");
}

function decisionsIn(record: string): readonly Decision[] {
  try {
    const found: unknown = JSON.parse(record)?.additionalEventData?.authorization;
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** `user/ada`, of an ARN of IAM or STS. */
export function shortArn(arn: string): string {
  return arn.replace(/^arn:aws[a-z-]*:(iam|sts)::(\d*|aws):/, "");
}
