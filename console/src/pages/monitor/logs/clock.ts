/** Moments of a log as people read them, in the local zone. Pure. */

const TIME = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });

/** With the day, unless that is today's. */
export function clock(at: number, now: Date): string {
  const moment = new Date(at);
  const time = TIME.format(moment);
  return moment.toDateString() === now.toDateString() ? time : `${DAY.format(moment)} ${time}`;
}

/** The local time with the exact one in UTC. */
export function exactly(at: number): string {
  const moment = new Date(at);
  return `${moment.toLocaleString()} (${moment.toISOString()})`;
}
