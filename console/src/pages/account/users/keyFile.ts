/** An access key as the file that AWS's console hands out. Pure. */

import type { NewKey } from "../../../api/iam/users";

export function keyFile({ id, secret }: NewKey): string {
  return `Access key ID,Secret access key\r\n${id},${secret}\r\n`;
}
