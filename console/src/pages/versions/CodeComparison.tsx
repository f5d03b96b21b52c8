/** The files that differ between two versions, and the lines of the one that is chosen. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useCallback, useState } from "react";
import { type FunctionConfiguration, download } from "../../api/functions";
import { useConsole } from "../../app/context";
import { Shown } from "../../components/Shown";
import { lazily } from "../../components/lazily";
import { useLoad } from "../../components/useLoad";
import { type Difference, differences } from "../../packages/compare";
import { type Content, type PackageFile, contentOf } from "../../packages/files";
import { type Files, opened } from "../../packages/workspace";
import { UnreadableZip, readZip } from "../../packages/zip";
import { LARGEST_PACKAGE } from "../code/usePackage";

const DiffView = lazily("the editor", () => import("../code/DiffView"));

const MARKS: Record<Difference["change"], string> = {
  added: "added", removed: "removed", changed: "changed", permissions: "permissions changed",
};

export function CodeComparison({ name, before, after }: { name: string; before: FunctionConfiguration; after: FunctionConfiguration }) {
  const place = useConsole();
  const load = useCallback(async () => {
    const why = [before, after].map(closed).find((each) => each !== undefined);
    if (why !== undefined) return why;
    try {
      const [one, other] = await Promise.all([before, after].map(async ({ Version }) => opened(readZip(await download(place, name, Version))).files));
      return { one: one!, other: other!, found: differences(one!, other!) };
    } catch (error) {
      if (error instanceof UnreadableZip) return `The packages cannot be compared: ${error.message}.`;
      throw error;
    }
  }, [place, name, before, after]);
  const { loaded, reload } = useLoad(load);
  const count = loaded.state === "ready" && typeof loaded.value !== "string" ? `(${loaded.value.found.length})` : undefined;
  return (
    <Container header={<Header variant="h2" counter={count}>Code</Header>}>
      <Shown loaded={loaded} reload={reload} what="the packages">
        {(value) => typeof value === "string" ? <Box>{value}</Box> : <FilesCompared {...value} />}
      </Shown>
    </Container>
  );
}

function closed({ Version, PackageType, CodeSize = 0 }: FunctionConfiguration): string | undefined {
  if (PackageType === "Image") return `Version ${Version} is a container image, which has no files to compare.`;
  return CodeSize > LARGEST_PACKAGE ? `The package of version ${Version} is larger than 10 MB, the most that is compared here.` : undefined;
}

function FilesCompared({ one, other, found }: { one: Files; other: Files; found: readonly Difference[] }) {
  const [path, setPath] = useState(found[0]?.path);
  const chosen = found.find((each) => each.path === path);
  if (chosen === undefined) return <Box>The files are the same; the packages differ in other ways, as in their times.</Box>;
  return (
    <div className="workbench">
      <ul className="files plain" aria-label="Files that differ">
        {found.map((each) => (
          <li key={each.path} aria-current={each === chosen ? "true" : undefined} className={each === chosen ? "chosen" : undefined}>
            <Button variant="inline-link" ariaLabel={`${each.path}, ${MARKS[each.change]}`} onClick={() => setPath(each.path)}>{each.path}</Button>
            <Box fontSize="body-s" color="text-body-secondary">{MARKS[each.change]}</Box>
          </li>
        ))}
      </ul>
      <FileCompared path={chosen.path} before={one.get(chosen.path)} after={other.get(chosen.path)} />
    </div>
  );
}

const WHY: Record<Exclude<Content["kind"], "text">, string> = {
  large: "This file is larger than 1 MB, the most that is compared here.", binary: "This file is not text.", link: "This is a symbolic link.",
};

function FileCompared({ path, before, after }: { path: string; before?: PackageFile; after?: PackageFile }) {
  const [one, other] = [before, after].map((file): Content => (file ? contentOf(file) : { kind: "text", text: "" }));
  const modes = before && after && before.mode !== after.mode && `Permissions: ${octal(before)}, then ${octal(after)}.`;
  return (
    <div className="shrinks">
      {modes && <Box padding={{ bottom: "s" }}>{modes}</Box>}
      {one!.kind !== "text" ? <Box>{WHY[one!.kind]}</Box>
        : other!.kind !== "text" ? <Box>{WHY[other!.kind]}</Box>
        : <DiffView key={path} path={path} before={one!.text} after={other!.text} />}
    </div>
  );
}

function octal({ mode }: PackageFile): string {
  return (mode & 0o777).toString(8);
}
