/** A zip file, or a folder that is zipped here; chosen or dropped. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { type DragEvent, useRef, useState } from "react";
import { size } from "../../components/format";
import { fromDrop, fromFiles } from "../../packages/picked";
import type { PackageFile } from "../../packages/files";
import type { Upload } from "./request";

export function PackageInput({ label = "Code", description = "A zip file, or a folder, which is zipped here.", upload, zipSize, onChange, problem }: {
  label?: string; description?: string; upload: Upload | undefined; zipSize: number; onChange: (upload: Upload | undefined) => void; problem?: string;
}) {
  const zip = useRef<HTMLInputElement>(null), folder = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = async (reading: Promise<PackageFile[]>) => onChange(uploadOf(await reading));
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(fromDrop(event.dataTransfer.items));
  };
  return (
    <FormField label={label} description={description} errorText={problem}>
      <div
        className={over ? "dropzone dropzone-over" : "dropzone"}
        onDragOver={(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <SpaceBetween size="s">
          <SpaceBetween direction="horizontal" size="xs">
            <Button iconName="upload" onClick={() => zip.current?.click()}>Choose a zip file</Button>
            <Button iconName="folder" onClick={() => folder.current?.click()}>Choose a folder</Button>
            <Box color="text-body-secondary" padding={{ top: "xxs" }}>or drop one here</Box>
          </SpaceBetween>
          {upload && <StatusIndicator type="success">{described(upload)}, {size(zipSize)} zipped</StatusIndicator>}
        </SpaceBetween>
        <input
          ref={zip} type="file" accept=".zip" hidden data-testid="zip-input" aria-label="Zip file"
          onChange={({ target }) => target.files && void take(fromFiles(target.files))}
        />
        <input
          ref={folder} type="file" hidden data-testid="folder-input" aria-label="Folder" {...{ webkitdirectory: "" }}
          onChange={({ target }) => target.files && void take(fromFiles(target.files))}
        />
      </div>
    </FormField>
  );
}

function uploadOf(files: PackageFile[]): Upload | undefined {
  const [only] = files;
  if (only === undefined) return undefined;
  return files.length === 1 && only.path.toLowerCase().endsWith(".zip") ? { zip: only.data, name: only.path } : { files };
}

function described(upload: Upload): string {
  if ("zip" in upload) return upload.name;
  return upload.files.length === 1 ? upload.files[0]!.path : `${upload.files.length} files`;
}
