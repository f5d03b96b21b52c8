/** What has a resource-based policy, and perhaps a URL: the function itself, its aliases, its versions. Pure. */

export interface Holder {
  readonly title: string;
  /** None: the function itself. */
  readonly qualifier?: string;
}

/** What statements are about, as forms need it. */
export interface Subject extends Holder {
  readonly name: string;
  readonly arn: string;
}

export const ITSELF: Holder = { title: "The function itself" };

export function holdersOf(aliases: readonly string[], versions: readonly string[] = []): Holder[] {
  const published = versions.filter((version) => version !== "$LATEST").reverse();
  return [ITSELF, ...aliases.map(aliasHolder), ...published.map((version) => ({ title: `Version ${version}`, qualifier: version }))];
}

export function holderOf(qualifier: string | undefined): Holder {
  if (qualifier === undefined) return ITSELF;
  return /^[0-9]+$/.test(qualifier) ? { title: `Version ${qualifier}`, qualifier } : aliasHolder(qualifier);
}

function aliasHolder(qualifier: string): Holder {
  return { title: `Alias ${qualifier}`, qualifier };
}

/** From one of the function's ARNs, whatever its qualifier is. */
export function arnOf(functionArn: string, { qualifier }: Holder): string {
  return [...functionArn.split(":").slice(0, 7), ...(qualifier === undefined ? [] : [qualifier])].join(":");
}
