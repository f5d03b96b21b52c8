/** A layer's version as it is filled in. Pure. Sources of rules: the API's constraints of PublishLayerVersion. */

import type { Problems } from "../../components/EditForm";
import { LARGEST_UPLOAD, type Upload } from "../create/request";

export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly upload?: Upload;
  readonly zip?: Uint8Array;
  readonly runtimes: readonly string[];
  readonly architectures: readonly string[];
  readonly license: string;
}

const MOST_RUNTIMES = 15;

export function problemsOf({ name, zip, runtimes }: Draft): Problems<Draft> {
  const found: Problems<Draft> = {};
  if (!/^[a-zA-Z0-9-_]{1,140}$/.test(name)) {
    found.name = "A name has 1 to 140 characters: letters without accents, digits, hyphens and underscores.";
  }
  if (zip === undefined) found.upload = "Choose a zip file or a folder.";
  else if (zip.length > LARGEST_UPLOAD) found.upload = "It is larger than 50 MB, the most that can be uploaded.";
  if (runtimes.length > MOST_RUNTIMES) found.runtimes = `At most ${MOST_RUNTIMES} runtimes.`;
  return found;
}
