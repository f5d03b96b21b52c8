import { deleteAlias } from "../../api/aliases";
import { useConsole } from "../../app/context";
import { ConfirmButton } from "../../components/ConfirmButton";

export function DeleteAlias({ name, alias, after }: { name: string; alias: string; after: () => void }) {
  const place = useConsole();
  return (
    <ConfirmButton
      name={`Delete alias ${alias}`} header={`Delete alias ${alias}`}
      question={`Who calls ${name}:${alias} is answered that there is no such function. Its policy, URL and other settings go with it.`}
      run={() => deleteAlias(place, name, alias)} done={`The alias ${alias} is deleted.`} after={after}
    >
      Delete
    </ConfirmButton>
  );
}
