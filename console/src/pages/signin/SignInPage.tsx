/** Takes an access key, asks the server whose it is, and hands the session on. */

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { type Problem, failed } from "../../api/errors";
import { signIn } from "../../api/identity";
import { type Session, keepSession } from "../../api/session";
import { ProblemAlert, ProblemText } from "../../components/ProblemAlert";

/** `ended`: why the session before is over. */
export function SignInPage({ region, ended, onDone }: { region: string; ended?: Problem; onDone: (session: Session) => void }) {
  const [key, setKey] = useState(""), [secret, setSecret] = useState(""), [token, setToken] = useState("");
  const [keep, setKeep] = useState(false), [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  async function submit() {
    setBusy(true);
    setProblem(undefined);
    try {
      const session = await signIn(
        { accessKeyId: key.trim(), secretAccessKey: secret.trim(), sessionToken: token.trim() || undefined }, region,
      );
      if (keep) keepSession(session);
      onDone(session);
    } catch (error) {
      setProblem(failed(error));
      setBusy(false);
    }
  }

  return (
    <ContentLayout header={<Header variant="h1">Sign in</Header>}>
      <form className="narrow" onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <Form actions={<Button variant="primary" loading={busy} disabled={key.trim() === "" || secret.trim() === ""}>Sign in</Button>}>
          <SpaceBetween size="l">
            {ended && !problem && (
              <Alert type="warning" header="Your session is over. Sign in again to go on where you were."><ProblemText problem={ended} /></Alert>
            )}
            {problem && <ProblemAlert problem={problem} />}
            <Container header={<Header variant="h2" description="Of a user, a role's session, or the root. The secret is never sent: it signs requests.">Access key</Header>}>
              <SpaceBetween size="m">
                <FormField label="Access key ID">
                  <Input value={key} autoComplete="off" spellcheck={false} onChange={({ detail }) => setKey(detail.value)} />
                </FormField>
                <FormField label="Secret access key">
                  <Input value={secret} type="password" autoComplete="off" onChange={({ detail }) => setSecret(detail.value)} />
                </FormField>
                <FormField label="Session token - optional" description="Comes with temporary credentials.">
                  <Input value={token} type="password" autoComplete="off" onChange={({ detail }) => setToken(detail.value)} />
                </FormField>
                <Checkbox checked={keep} onChange={({ detail }) => setKeep(detail.checked)} description="Otherwise until the page is reloaded.">
                  Stay signed in until this tab is closed
                </Checkbox>
              </SpaceBetween>
            </Container>
            <Box color="text-body-secondary">A new access key of the root is made by <code>ingle root-key</code> on the server's machine.</Box>
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
