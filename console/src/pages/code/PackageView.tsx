/** The code of a version, which cannot be changed: files beside the one that is open. */

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useMemo, useState } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import { treeOf } from "../../packages/tree";
import type { Files } from "../../packages/workspace";
import { FileTree } from "./FileTree";
import { OpenFile } from "./OpenFile";
import { firstFile } from "./firstFile";

export function PackageView({ found, files, onDownload }: { found: FunctionConfiguration; files: Files; onDownload: () => void }) {
  const [path, setPath] = useState(() => firstFile([...files.keys()], found.Handler ?? ""));
  const nodes = useMemo(() => treeOf(files.keys()), [files]);
  return (
    <Container
      header={
        <Header
          variant="h2" description="A version stays as it was published. To change the code, choose $LATEST."
          actions={<Button iconName="download" onClick={onDownload}>Download</Button>}
        >
          Code
        </Header>
      }
    >
      <div className="workbench">
        <div className="files"><FileTree nodes={nodes} chosen={path} onOpen={setPath} /></div>
        <OpenFile files={files} path={path} />
      </div>
    </Container>
  );
}
