import { EnvironmentsTable } from "./EnvironmentsTable";

export default function Environments() {
  return <EnvironmentsTable />;
}
