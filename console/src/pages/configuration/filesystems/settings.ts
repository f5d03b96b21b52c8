/** A function's file system as its form has it. Pure. */

import type { FileSystemConfig } from "@aws-sdk/client-lambda";
import type { Problems } from "../../../components/EditForm";

export interface Draft {
  readonly arn: string;
  readonly path: string;
  /** For S3 Files; AUTO where nothing is said. */
  readonly directRead: string;
}

export const DIRECT_READ = ["AUTO", "ENABLED", "DISABLED"];

export function draftOf(config: FileSystemConfig | undefined): Draft {
  return { arn: config?.Arn ?? "", path: config?.LocalMountPath ?? "/mnt/", directRead: config?.S3FilesConfig?.DirectS3Read ?? "AUTO" };
}

export function configOf({ arn, path, directRead }: Draft): FileSystemConfig {
  const found = { Arn: arn.trim(), LocalMountPath: path.trim() };
  return isS3(found.Arn) ? { ...found, S3FilesConfig: { DirectS3Read: directRead } as FileSystemConfig["S3FilesConfig"] } : found;
}

export function isS3(arn: string): boolean {
  return arn.split(":")[2] === "s3files";
}

export function check({ arn, path }: Draft): Problems<Draft> {
  const problems: Problems<Draft> = {};
  if (!/^arn:[^:]+:(elasticfilesystem|s3files):/.test(arn.trim())) problems.arn = "The ARN of an access point of EFS or S3 Files.";
  if (!/^\/mnt\/[a-zA-Z0-9_.-]+$/.test(path.trim()) || path.trim().length > 160) {
    problems.path = "A directory directly in /mnt, of letters, digits, - _ and .: /mnt/data.";
  }
  return problems;
}
