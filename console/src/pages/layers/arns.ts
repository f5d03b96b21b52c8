/** What ARNs of layers' versions say. Pure. */

export interface LayerVersionName {
  readonly account: string;
  readonly name: string;
  readonly version: number;
}

const ARN = /^arn:[a-z-]+:lambda:[a-z0-9-]+:(\d{12}):layer:([a-zA-Z0-9-_]+):(\d+)$/;

export function parsed(arn: string): LayerVersionName | undefined {
  const [, account = "", name = "", version = ""] = ARN.exec(arn) ?? [];
  return name === "" ? undefined : { account, name, version: Number(version) };
}

/** The layer that it is a version of. */
export function layerArn(arn: string): string {
  return arn.replace(/:\d+$/, "");
}
