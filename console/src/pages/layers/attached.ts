/** The layers that a function attaches, while they are edited. Pure. Sources of rules: the API's constraints of Layers. */

import { layerArn, parsed } from "./arns";

export const MOST = 5;

/** Why this one cannot be added to those, if it cannot. */
export function addProblem(arns: readonly string[], arn: string): string | undefined {
  if (parsed(arn) === undefined) return "Give the ARN of a layer's version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION.";
  if (arns.length >= MOST) return `A function has at most ${MOST} layers.`;
  if (arns.some((each) => layerArn(each) === layerArn(arn))) return "A version of this layer is attached already.";
  return undefined;
}

interface Fit {
  readonly CompatibleRuntimes?: readonly string[];
  readonly CompatibleArchitectures?: readonly string[];
}

/** What a layer's version does not say that it is for. Nothing is refused for that. */
export function misfit({ CompatibleRuntimes = [], CompatibleArchitectures = [] }: Fit, runtime: string, architecture: string): string | undefined {
  const missing = [
    ...(CompatibleRuntimes.length > 0 && !CompatibleRuntimes.includes(runtime) ? [runtime] : []),
    ...(CompatibleArchitectures.length > 0 && !CompatibleArchitectures.includes(architecture) ? [architecture] : []),
  ];
  return missing.length === 0 ? undefined : `not said to be for ${missing.join(" and ")}`;
}
