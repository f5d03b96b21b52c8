import { describe, expect, it } from "vitest";
import { type Page, addressOf, locationOf, withQuery } from "./places";

describe("places", () => {
  const pages: Page[] = [
    { page: "functions" }, { page: "create" }, { page: "function", name: "hello", tab: "code" },
    { page: "function", name: "a b/c", tab: "test" },
    { page: "function", name: "hello", tab: "configuration", section: "general" },
    { page: "function", name: "hello", qualifier: "12", tab: "code" },
    { page: "function", name: "hello", tab: "versions" }, { page: "function", name: "hello", tab: "versions", section: "3...$LATEST" },
    { page: "function", name: "hello", tab: "aliases", section: "live" },
    { page: "layers" }, { page: "layer", name: "tools" }, { page: "layer", name: "tools", version: "12" }, { page: "create-layer" },
    { page: "create-layer", name: "tools" },
    { page: "function", name: "a:b", qualifier: "c:d", tab: "configuration", section: "general" },
    { page: "account", section: "environments" }, { page: "account", section: "policies", item: "arn:aws:iam::aws:policy/a b" },
  ];
  it.each(pages)("lead back from their address: $page", (page) => {
    expect(locationOf(addressOf("eu-west-1", page))).toEqual({ ...page, region: "eu-west-1" });
  });

  it("begin with the list, in a region that is still to be chosen", () => {
    expect(locationOf("/_ingle/console/")).toEqual({ page: "functions" });
    expect(locationOf("/_ingle/console/us-east-1")).toEqual({ page: "functions", region: "us-east-1" });
  });

  it("open a function with its code", () => {
    expect(locationOf("/_ingle/console/us-east-1/functions/f")).toMatchObject({ name: "f", tab: "code" });
  });

  it("know no other address of the function itself", () => {
    for (const name of ["f", "f:", "f:$LATEST", "f:%24LATEST"]) {
      expect(locationOf(`/_ingle/console/us-east-1/functions/${name}/test`)).toEqual({ page: "function", name: "f", tab: "test", region: "us-east-1" });
    }
  });

  it("open a tab with its first section", () => {
    expect(locationOf("/_ingle/console/us-east-1/functions/f/configuration")).toMatchObject({ section: "general" });
  });

  it("open the account with its overview", () => {
    expect(locationOf("/_ingle/console/us-east-1/account")).toMatchObject({ page: "account", section: "overview" });
  });

  it.each(["/elsewhere", "/_ingle/console/us-east-1/account/nothing", "/_ingle/console/us-east-1/account/environments/one",
    "/_ingle/console/us-east-1/account/users/a/b", "/_ingle/console/us-east-1/functions/f/nothing", "/_ingle/console/us-east-1/functions/%ff", "/_ingle/console/a/create/more",
    "/_ingle/console/us-east-1/functions/f/code/more", "/_ingle/console/us-east-1/functions/f:1:2/code",
    "/_ingle/console/us-east-1/layers/tools/new", "/_ingle/console/us-east-1/layers/tools/1/more", "/_ingle/console/us-east-1/account/users/%ff",
    "/_ingle/console/us-east-1/functions/f/versions/nothing", "/_ingle/console/us-east-1/functions/f/aliases/a%20b",
    "/_ingle/console/us-east-1/functions/f/configuration/nothing", "/_ingle/console/us-east-1/functions/f/toString", "/_ingle/consoles"])("does not know %s", (path) => {
    expect(locationOf(path).page).toBe("unknown");
  });

  it("have what is chosen within them in their query", () => {
    expect(withQuery("?range=3h&of=a", { range: "1 d", of: undefined })).toBe("?range=1+d");
    expect(withQuery("?of=a", { of: undefined })).toBe("");
  });
});
