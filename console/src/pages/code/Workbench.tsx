/** Files beside the editor, and what is done with them. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useEffect, useMemo, useRef, useState } from "react";
import type { FunctionConfiguration } from "../../api/functions";
import { ProblemAlert } from "../../components/ProblemAlert";
import { pathProblem } from "../../packages/files";
import { fromFiles } from "../../packages/picked";
import { treeOf } from "../../packages/tree";
import { changes, edited, removed, renameProblem, renamed, uploaded } from "../../packages/workspace";
import { FileTree } from "./FileTree";
import { OpenFile } from "./OpenFile";
import { PathDialog } from "./PathDialog";
import { type Draft, keepDraft } from "./drafts";
import { firstFile } from "./firstFile";
import { useDeploy } from "./useDeploy";

type Dialog = { readonly kind: "add" } | { readonly kind: "rename"; readonly path: string };

export function Workbench({ found, start, onDownload, onReload, onDeployed }: {
  found: FunctionConfiguration; start: Draft; onDownload: () => void; onReload: () => void; onDeployed: () => void;
}) {
  const [workspace, setWorkspace] = useState(start.workspace);
  const [codeSha256, setCodeSha256] = useState(start.codeSha256);
  const [path, setPath] = useState(() => firstFile([...start.workspace.files.keys()], found.Handler ?? ""));
  const [dialog, setDialog] = useState<Dialog>();
  const picker = useRef<HTMLInputElement>(null);
  const changed = useMemo(() => changes(workspace), [workspace]);
  const nodes = useMemo(() => treeOf(workspace.files.keys()), [workspace.files]);
  useEffect(() => keepDraft(found.FunctionArn ?? "", { workspace, codeSha256 }), [found.FunctionArn, workspace, codeSha256]);
  const { deploy, deploying, problem } = useDeploy(found, workspace, (now, sha256) => {
    setWorkspace(now);
    setCodeSha256(sha256);
    onDeployed();
  });
  const elsewhere = !deploying && found.CodeSha256 !== codeSha256;

  async function upload(files: FileList) {
    const picked = await fromFiles(files);
    const accepted = picked.filter((file) => workspace.files.has(file.path) || !pathProblem(file.path, workspace.files.keys()));
    setWorkspace((before) => accepted.reduce((now, file) => uploaded(now, file.path, file.data), before));
    if (accepted[0]) setPath(accepted[0].path);
  }

  return (
    <div onKeyDown={(event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s" && !event.defaultPrevented) {
        event.preventDefault();
        void deploy();
      }
    }}>
      <SpaceBetween size="m">
        {problem && <ProblemAlert problem={problem} />}
        {elsewhere && (
          <Alert type="warning" header="The code was changed elsewhere" action={<Button onClick={onReload}>Read it anew</Button>}>
            Deploying replaces it with what is here; reading it anew drops what was changed here.
          </Alert>
        )}
        <Container
          header={
            <Header
              variant="h2"
              info={<Deployment count={changed.size} deploying={deploying} />}
              actions={
                <SpaceBetween direction="horizontal" size="xs">
                  <Button iconName="add-plus" onClick={() => setDialog({ kind: "add" })}>New file</Button>
                  <Button iconName="upload" onClick={() => picker.current?.click()}>Upload files</Button>
                  <Button iconName="download" onClick={onDownload}>Download</Button>
                  <Button variant="primary" loading={deploying} disabled={changed.size === 0} onClick={deploy} ariaLabel="Deploy (Ctrl+S)">
                    Deploy
                  </Button>
                </SpaceBetween>
              }
            >
              Code
            </Header>
          }
        >
          <input
            ref={picker} type="file" multiple hidden data-testid="files-input" aria-label="Files"
            onChange={({ target }) => target.files && void upload(target.files)}
          />
          <div className="workbench">
            <div className="files">
              <FileTree
                nodes={nodes} changed={changed} chosen={path} onOpen={setPath}
                onAction={(action, at) => (action === "rename" ? setDialog({ kind: "rename", path: at }) : setWorkspace(removed(workspace, at)))}
              />
              <Deleted paths={[...changed].filter(([, change]) => change === "deleted").map(([each]) => each)} />
            </div>
            <OpenFile files={workspace.files} path={path} onChange={(text) => path && setWorkspace((before) => edited(before, path, text))} onSave={deploy} />
          </div>
        </Container>
      </SpaceBetween>
      {dialog && (
        <PathDialog
          header={dialog.kind === "add" ? "New file" : `Rename ${dialog.path}`}
          action={dialog.kind === "add" ? "Add" : "Rename"}
          initial={dialog.kind === "add" ? "" : dialog.path}
          problemOf={(to) => dialog.kind === "add" ? pathProblem(to, workspace.files.keys()) : renameProblem(workspace, dialog.path, to)}
          onClose={() => setDialog(undefined)}
          onDone={(to) => {
            setWorkspace(dialog.kind === "add" ? edited(workspace, to, "") : renamed(workspace, dialog.path, to));
            if (dialog.kind === "add" || path === dialog.path) setPath(to);
            setDialog(undefined);
          }}
        />
      )}
    </div>
  );
}

function Deployment({ count, deploying }: { count: number; deploying: boolean }) {
  if (deploying) return <StatusIndicator type="in-progress">Deploying</StatusIndicator>;
  if (count === 0) return <StatusIndicator type="success">Deployed</StatusIndicator>;
  return <StatusIndicator type="warning">{count === 1 ? "1 file changed, not deployed" : `${count} files changed, not deployed`}</StatusIndicator>;
}

function Deleted({ paths }: { paths: readonly string[] }) {
  if (paths.length === 0) return null;
  return <Box color="text-status-warning" fontSize="body-s" padding={{ top: "s" }}>Deleted, not deployed: {paths.join(", ")}</Box>;
}
