/** What the function may do, and who may do what with it. */

import SpaceBetween from "@cloudscape-design/components/space-between";
import type { SectionProps } from "../section";
import { ExecutionRole } from "./ExecutionRole";
import { ResourcePolicy } from "./ResourcePolicy";

export default function Permissions(props: SectionProps) {
  return (
    <SpaceBetween size="l">
      <ExecutionRole {...props} />
      <ResourcePolicy {...props} />
    </SpaceBetween>
  );
}
