/** A text with a button that copies it. */

import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";

export function Copied({ text, what, shown = text }: {
  text: string;
  /** Names it: "the ARN". */
  what: string;
  /** In its place, if it is not to be seen. */
  shown?: string;
}) {
  return (
    <CopyToClipboard
      variant="inline" textToCopy={text} textToDisplay={shown} copyButtonAriaLabel={`Copy ${what}`} copySuccessText="Copied"
      copyErrorText="It could not be copied"
    />
  );
}
