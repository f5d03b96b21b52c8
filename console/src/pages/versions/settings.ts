/** What differs between the configurations of two versions, in the words of the other pages. Pure. */

import type { FunctionConfiguration } from "../../api/functions";

export interface SettingDifference {
  readonly name: string;
  /** Nothing, where it is not set. */
  readonly before?: string;
  readonly after?: string;
  /** The value of an environment variable. */
  readonly secret: boolean;
}

/** What a version is, and not how it is set. Code is compared by its files. */
const IDENTITY = new Set([
  "$metadata", "FunctionName", "FunctionArn", "Version", "MasterArn", "RevisionId", "LastModified", "CodeSha256", "CodeSize", "State", "StateReason",
  "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode",
]);
const VARIABLES = "Environment.Variables.";
const NAMES: Readonly<Record<string, string>> = {
  MemorySize: "Memory (MB)", Timeout: "Timeout (seconds)", "EphemeralStorage.Size": "Ephemeral storage (MB)", Role: "Execution role",
  "VpcConfig.SubnetIds": "VPC: subnets", "VpcConfig.SecurityGroupIds": "VPC: security groups", "VpcConfig.VpcId": "VPC",
  "DeadLetterConfig.TargetArn": "Dead-letter target", KMSKeyArn: "Encryption key", "TracingConfig.Mode": "Tracing",
  "LoggingConfig.LogFormat": "Log format", "LoggingConfig.LogGroup": "Log group", "LoggingConfig.ApplicationLogLevel": "Application log level",
  "LoggingConfig.SystemLogLevel": "System log level", "SnapStart.ApplyOn": "SnapStart", FileSystemConfigs: "File systems",
};

export function settingDifferences(before: FunctionConfiguration, after: FunctionConfiguration): SettingDifference[] {
  const one = flat(before), other = flat(after);
  const paths = [...new Set([...one.keys(), ...other.keys()])].filter((path) => one.get(path) !== other.get(path));
  return paths
    .map((path) => ({ name: nameOf(path), before: one.get(path), after: other.get(path), secret: path.startsWith(VARIABLES) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Values by their path. What is empty is not set. */
function flat(found: FunctionConfiguration): Map<string, string> {
  const values = new Map<string, string>();
  const put = (path: string, value: unknown): void => {
    if (value === undefined || value === null || value === "") return;
    if (Array.isArray(value)) {
      if (value.length > 0) values.set(path, value.map(textOf).join("\n"));
    } else if (typeof value === "object") {
      for (const [key, inner] of Object.entries(value)) put(`${path}.${key}`, inner);
    } else values.set(path, String(value));
  };
  for (const [key, value] of Object.entries(found)) if (!IDENTITY.has(key) && key !== "SnapStart") put(key, value);
  put("SnapStart.ApplyOn", found.SnapStart?.ApplyOn);
  return values;
}

/** Of a list: layers and file systems are what they are called. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if ("Arn" in value) return "LocalMountPath" in value ? `${value.Arn} at ${value.LocalMountPath}` : String(value.Arn);
  return JSON.stringify(value);
}

function nameOf(path: string): string {
  if (path.startsWith(VARIABLES)) return `Environment variable ${path.slice(VARIABLES.length)}`;
  return NAMES[path] ?? path.replaceAll(".", ": ").replace(/([a-z])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
}
