/** Where one function runs now. */

import { EnvironmentsTable } from "../account/environments/EnvironmentsTable";
import type { SectionProps } from "./section";

export function Environments({ found }: SectionProps) {
  return <EnvironmentsTable functionName={found.FunctionName} variant="h2" />;
}
