/** Addresses at which a function is called by HTTP: one of its own, and one of each alias. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useCallback, useState } from "react";
import { listAliases } from "../../../api/aliases";
import { qualifierOf } from "../../../api/functions";
import { createUrl, listUrls } from "../../../api/urls";
import { useConsole } from "../../../app/context";
import { EditForm } from "../../../components/EditForm";
import { Shown } from "../../../components/Shown";
import { useLoad } from "../../../components/useLoad";
import { type Holder, arnOf, holdersOf } from "../holders";
import type { SectionProps } from "../section";
import { Url } from "./Url";
import { UrlFields } from "./UrlFields";
import { type Draft, EMPTY, check, settingsOf } from "./settings";
import { useOpening } from "./useOpening";

export default function FunctionUrls({ found }: SectionProps) {
  const place = useConsole();
  const name = found.FunctionName ?? "";
  const load = useCallback(async () => {
    const [urls, aliases] = await Promise.all([listUrls(place, name), listAliases(place, name)]);
    const holders = holdersOf(aliases.map(({ Name = "" }) => Name));
    const urlOf = (holder: Holder) => urls.find(({ FunctionArn = "" }) => FunctionArn === arnOf(FunctionArn, holder));
    return holders.map((holder) => ({ holder, config: urlOf(holder) }));
  }, [place, name]);
  const { loaded, reload } = useLoad(load);
  const isHere = ({ qualifier }: Holder) => qualifier === qualifierOf(found);
  const [creating, setCreating] = useState(false);
  return (
    <Shown loaded={loaded} what="function URLs" reload={reload}>
      {(all) => {
        const without = all.filter(({ config }) => config === undefined).map(({ holder }) => holder);
        if (creating) return <NewUrl name={name} holders={without} first={without.find(isHere) ?? without[0]!} onClose={() => setCreating(false)} saved={reload} />;
        const create = <Button disabled={without.length === 0} disabledReason="The function and its aliases have one." onClick={() => setCreating(true)}>Create function URL</Button>;
        return (
          <SpaceBetween size="l">
            {all.map(({ holder, config }) => config && <Url key={holder.title} name={name} holder={holder} config={config} changed={reload} />)}
            {without.length < all.length
              ? create
              : (
                <Container header={<Header variant="h2" actions={create}>Function URL</Header>}>
                  <Box color="text-body-secondary">No function URL. With one, the function is called by HTTP, without another service.</Box>
                </Container>
              )}
          </SpaceBetween>
        );
      }}
    </Shown>
  );
}

interface New extends Draft {
  readonly holder: Holder;
}

/** `holders`: what can have one still; `first`: the one that is offered. */
function NewUrl({ name, holders, first, onClose, saved }: {
  name: string; holders: readonly Holder[]; first: Holder; onClose: () => void; saved: () => void;
}) {
  const place = useConsole();
  const opening = useOpening(name);
  const save = async ({ holder, ...draft }: New) => {
    await createUrl(place, name, holder.qualifier, settingsOf(draft));
    if (draft.authType === "NONE") await opening(holder.qualifier);
  };
  const options = holders.map(({ title }) => ({ value: title, label: title }));
  return (
    <EditForm<New>
      title="Create function URL" action="Create" done="The function URL is created." start={{ ...EMPTY, holder: first }} check={check}
      save={save} saved={saved} onClose={onClose}
      form={(editing) => (
        <>
          <FormField label="URL of" description="An alias has a URL of its own.">
            <Select
              options={options} selectedOption={options.find(({ value }) => value === editing.draft.holder.title) ?? null}
              onChange={({ detail }) => editing.change({ holder: holders.find(({ title }) => title === detail.selectedOption.value)! })}
            />
          </FormField>
          <UrlFields {...editing} />
        </>
      )}
    />
  );
}
