/** ARNs of IAM. Pure. */

/** What comes last, behind its path. */
export function nameIn(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

export function accountIn(arn: string): string {
  return arn.split(":")[4] ?? "";
}
