import { describe, expect, it } from "vitest";
import type { FunctionUrlConfig } from "../../../api/urls";
import { EMPTY, check, corsOf, draftOf, settingsOf } from "./settings";

const BARE = { FunctionUrl: "http://u/", FunctionArn: "arn", AuthType: "NONE", CreationTime: "t" } as FunctionUrlConfig;
const CORS = { AllowOrigins: ["https://a.test", "https://b.test"], AllowMethods: ["GET"], MaxAge: 60, AllowCredentials: true };

describe("the settings of a function URL", () => {
  it("are sent as they were found", () => {
    const settings = { AuthType: "NONE", InvokeMode: "RESPONSE_STREAM", Cors: { ...CORS, AllowHeaders: undefined, ExposeHeaders: undefined } };
    expect(settingsOf(draftOf({ ...BARE, InvokeMode: "RESPONSE_STREAM", Cors: CORS }))).toEqual(settings);
  });

  it("have no CORS unless somebody asks for it", () => {
    expect(draftOf(BARE)).toMatchObject({ cors: false, authType: "NONE" });
    expect(draftOf({ ...BARE, Cors: {} }).cors).toBe(false);
    expect(settingsOf(EMPTY).Cors).toEqual({});
    expect(corsOf(BARE)).toEqual([]);
  });

  it("take lists by lines, blanks or commas", () => {
    expect(settingsOf({ ...EMPTY, cors: true, origins: "https://a.test\n https://b.test,https://c.test\n" }).Cors?.AllowOrigins)
      .toEqual(["https://a.test", "https://b.test", "https://c.test"]);
  });

  it("want a time that CORS knows", () => {
    expect(Object.keys(check({ ...EMPTY, cors: true, maxAge: "86401" }))).toEqual(["maxAge"]);
    expect(check({ ...EMPTY, maxAge: "x" })).toEqual({});
  });

  it("are told in words", () => {
    expect(corsOf({ ...BARE, Cors: CORS })).toContainEqual(["Allow origin", "https://a.test, https://b.test"]);
  });
});
