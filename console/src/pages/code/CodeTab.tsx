/** The code of a function: reading it, and what is there when it cannot be edited. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Spinner from "@cloudscape-design/components/spinner";
import { useState } from "react";
import { type Problem, failed } from "../../api/errors";
import { type FunctionConfiguration, download, qualifierOf } from "../../api/functions";
import { useConsole } from "../../app/context";
import { ProblemAlert } from "../../components/ProblemAlert";
import { saveAs } from "../../components/save";
import { PackageView } from "./PackageView";
import { Workbench } from "./Workbench";
import { dropDraft } from "./drafts";
import { usePackage } from "./usePackage";

export function CodeTab({ found, onDeployed }: { found: FunctionConfiguration; onDeployed: () => void }) {
  const place = useConsole();
  const { loaded, reload } = usePackage(place, found);
  const [problem, setProblem] = useState<Problem>();
  const qualifier = qualifierOf(found);
  const save = async () => {
    try {
      setProblem(undefined);
      const name = [found.FunctionName, qualifier].filter(Boolean).join("-");
      saveAs(`${name}.zip`, await download(place, found.FunctionName ?? "", qualifier));
    } catch (error) {
      setProblem(failed(error));
    }
  };
  const again = () => {
    dropDraft(found.FunctionArn ?? "");
    reload();
  };
  if (loaded.state === "loading") return <Container><Box><Spinner /> Loading the code</Box></Container>;
  if (loaded.state === "failed") return <ProblemAlert problem={loaded.problem} retry={reload} />;
  if (loaded.value.kind === "closed") {
    return (
      <Container header={<Header variant="h2" actions={<Button iconName="download" onClick={save}>Download</Button>}>Code</Header>}>
        {problem && <ProblemAlert problem={problem} />}
        <Alert type="info">{loaded.value.why}</Alert>
      </Container>
    );
  }
  return (
    <>
      {problem && <ProblemAlert problem={problem} />}
      {qualifier === undefined
        ? <Workbench key={found.FunctionArn} found={found} start={loaded.value} onDownload={save} onReload={again} onDeployed={onDeployed} />
        : <PackageView key={found.CodeSha256} found={found} files={loaded.value.workspace.files} onDownload={save} />}
    </>
  );
}
