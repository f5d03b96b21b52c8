/** The age of events in the queue, as it is typed and said. Pure. Source of the bounds: the API's model. */

const LEAST = 60, MOST = 21_600;

export interface Parts {
  readonly hours: string;
  readonly minutes: string;
  readonly seconds: string;
}

export function partsOfAge(age: number): Parts {
  return { hours: `${Math.floor(age / 3600)}`, minutes: `${Math.floor((age % 3600) / 60)}`, seconds: `${age % 60}` };
}

export function secondsOf({ hours, minutes, seconds }: Parts): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

export function ageProblem(age: number): string | undefined {
  return age < LEAST || age > MOST ? "From 1 minute to 6 hours." : undefined;
}

export function ageText(age: number): string {
  const { hours, minutes, seconds } = partsOfAge(age);
  const said = [[hours, "h"], [minutes, "min"], [seconds, "s"]].filter(([count]) => count !== "0");
  return said.map((part) => part.join(" ")).join(" ") || "0 s";
}
