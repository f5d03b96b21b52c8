/** How many environments a version or an alias is to have ready. */

import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { type Provisioned, provision } from "../../../api/concurrency";
import { useConsole } from "../../../app/context";
import { EditForm, type Problems } from "../../../components/EditForm";
import { wholeNumbers } from "../../../components/numbers";
import { QualifierSelect } from "../QualifierSelect";

/** The API says better what is too much. */
const ANY = 1_000_000;

interface Draft {
  readonly qualifier?: string;
  readonly count: string;
}

/** `config`: what is changed; without, one is added. */
export function ProvisionForm({ name, config, saved, onClose }: { name: string; config?: Provisioned; saved: () => void; onClose: () => void }) {
  const place = useConsole();
  return (
    <EditForm<Draft>
      title={config ? `Provisioned concurrency of ${config.qualifier}` : "Add provisioned concurrency"}
      done="The provisioned concurrency is saved."
      start={{ qualifier: config?.qualifier, count: `${config?.requested ?? 1}` }}
      check={check}
      save={({ qualifier = "", count }) => provision(place, name, qualifier, Number(count))}
      saved={saved} onClose={onClose}
      form={({ draft, change, problems }) => (
        <>
          {config === undefined && (
            <QualifierSelect
              name={name} label="Alias or version" value={draft.qualifier} problem={problems.qualifier} onChange={(qualifier) => change({ qualifier })}
            />
          )}
          <FormField label="Provisioned concurrency" description="Environments that are initialised and kept." errorText={problems.count}>
            <Input value={draft.count} inputMode="numeric" onChange={({ detail }) => change({ count: detail.value })} />
          </FormField>
        </>
      )}
    />
  );
}

function check({ qualifier, count }: Draft): Problems<Draft> {
  return { ...wholeNumbers({ count: [count, 1, ANY] }), ...(qualifier === undefined ? { qualifier: "Choose one." } : {}) };
}
