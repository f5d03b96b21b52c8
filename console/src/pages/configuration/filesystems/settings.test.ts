import { describe, expect, it } from "vitest";
import { check, configOf, draftOf, isS3 } from "./settings";

const EFS = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0";
const S3 = "arn:aws:s3files:us-east-1:000000000000:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0";

describe("a function's file system", () => {
  it("is sent as it was found", () => {
    for (const config of [{ Arn: EFS, LocalMountPath: "/mnt/a" }, { Arn: S3, LocalMountPath: "/mnt/a", S3FilesConfig: { DirectS3Read: "DISABLED" as const } }]) {
      expect(configOf(draftOf(config))).toEqual(config);
    }
  });

  it("reads from S3 directly only where it is on S3", () => {
    expect([isS3(S3), isS3(EFS)]).toEqual([true, false]);
    expect(configOf({ arn: EFS, path: "/mnt/a", directRead: "ENABLED" })).toEqual({ Arn: EFS, LocalMountPath: "/mnt/a" });
  });

  it.each(["/mnt/", "/data", "/mnt/a/b", "mnt/a", `/mnt/${"a".repeat(156)}`])("is not mounted at %s", (path) => {
    expect(Object.keys(check({ arn: EFS, path, directRead: "AUTO" }))).toEqual(["path"]);
  });

  it("is at an access point", () => {
    expect(check({ arn: ` ${EFS} `, path: "/mnt/a", directRead: "AUTO" })).toEqual({});
    expect(Object.keys(check({ ...draftOf(undefined), path: "/mnt/a" }))).toEqual(["arn"]);
  });
});
