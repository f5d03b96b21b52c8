/** Whose a managed policy is. Pure. */

/** AWS's policies are in every account, and nobody changes them. */
export function isOfAws(arn: string): boolean {
  return arn.startsWith("arn:aws:iam::aws:");
}
