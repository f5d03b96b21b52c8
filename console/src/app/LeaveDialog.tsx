/** Asks whoever is about to leave a form with something in it. */

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import { Dialog } from "../components/Dialog";
import { useAsked } from "./leaving";

export function LeaveDialog() {
  const asked = useAsked();
  if (asked === undefined) return null;
  return (
    <Dialog
      header="Leave without saving" cancel="Stay" onClose={asked.stay} action={<Button variant="primary" onClick={asked.leave}>Leave</Button>}
    >
      <Box>What you changed here is not saved, and is lost then.</Box>
    </Dialog>
  );
}
