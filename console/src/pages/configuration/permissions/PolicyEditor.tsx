/** A policy as its document, which takes the place of all statements. */

import FormField from "@cloudscape-design/components/form-field";
import { documentProblem } from "../../../api/iam/document";
import { type FoundPolicy, putPolicy } from "../../../api/policies";
import { prettyDocument } from "../../../api/statements";
import { useConsole } from "../../../app/context";
import { EditForm, type Problems } from "../../../components/EditForm";
import { LazyEditor } from "../../../components/LazyEditor";
import type { Subject } from "../holders";

interface Draft {
  readonly document: string;
}

export function PolicyEditor({ subject, policy, onClose, saved }: {
  subject: Subject; policy?: FoundPolicy; onClose: () => void; saved: () => void;
}) {
  const place = useConsole();
  return (
    <EditForm<Draft>
      title="Resource-based policy" description={`Of ${subject.arn}.`} start={{ document: policy ? prettyDocument(policy.document) : example(subject.arn) }}
      check={check} save={({ document }) => putPolicy(place, subject.arn, document, policy?.revision)} saved={saved} onClose={onClose}
      form={({ draft, change, problems }) => (
        <FormField
          label="Policy document" stretch errorText={problems.document}
          description="It takes the place of all statements. Deny, several principals and all conditions can be said here."
        >
          <LazyEditor id="policy.json" label="Policy document" text={draft.document} onChange={(document) => change({ document })} height="24em" />
        </FormField>
      )}
    />
  );
}

function check({ document }: Draft): Problems<Draft> {
  const problem = documentProblem(document);
  return problem === undefined ? {} : { document: problem };
}

function example(arn: string): string {
  const statement = { Sid: "example", Effect: "Allow", Principal: { AWS: arn.split(":")[4] }, Action: "lambda:InvokeFunction", Resource: arn };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] }, null, 2);
}
