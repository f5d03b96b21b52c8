/** The package of a function, opened for editing: what was changed earlier on this page, else what is deployed. */

import { useCallback } from "react";
import type { Place } from "../../api/clients";
import { type FunctionConfiguration, download, qualifierOf } from "../../api/functions";
import { type Loaded, useLoad } from "../../components/useLoad";
import { type Workspace, opened } from "../../packages/workspace";
import { UnreadableZip, readZip } from "../../packages/zip";
import { draftOf } from "./drafts";

/** Larger packages are not opened in the browser. */
export const LARGEST_PACKAGE = 10 << 20;

export type Opened =
  | { readonly kind: "workspace"; readonly workspace: Workspace; readonly codeSha256: string }
  | { readonly kind: "closed"; readonly why: string };

export function usePackage(place: Place, found: FunctionConfiguration): { loaded: Loaded<Opened>; reload: () => void } {
  const { FunctionName: name = "", FunctionArn: arn = "", CodeSize: size = 0, CodeSha256: codeSha256 = "", PackageType: type } = found;
  const qualifier = qualifierOf(found);
  // An alias leads to another package once it is moved. What is edited stays, as nothing that is read anew.
  const read = qualifier === undefined ? arn : `${arn} ${codeSha256}`;
  const load = useCallback(async (): Promise<Opened> => {
    const draft = draftOf(arn);
    if (draft) return { kind: "workspace", ...draft };
    if (type === "Image") return { kind: "closed", why: "The function is a container image, which has no files to edit." };
    if (size > LARGEST_PACKAGE) return { kind: "closed", why: "The package is larger than 10 MB, the most that is edited here." };
    try {
      return { kind: "workspace", workspace: opened(readZip(await download(place, name, qualifier))), codeSha256 };
    } catch (error) {
      if (error instanceof UnreadableZip) return { kind: "closed", why: `The package cannot be shown: ${error.message}.` };
      throw error;
    }
    // Where the code changes meanwhile, the tab says so; it is not read anew below somebody's hands.
  }, [place, name, read]);
  return useLoad(load);
}
