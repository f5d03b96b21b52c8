/** What an account may use, and does. */

import { type AccountLimit, type AccountUsage, GetAccountSettingsCommand } from "@aws-sdk/client-lambda";
import { type Place, lambdaClient } from "./clients";

export interface AccountSettings {
  readonly limit: AccountLimit;
  readonly usage: AccountUsage;
}

export async function accountSettings(place: Place): Promise<AccountSettings> {
  const { AccountLimit, AccountUsage } = await lambdaClient(place).send(new GetAccountSettingsCommand({}));
  return { limit: AccountLimit ?? {}, usage: AccountUsage ?? {} };
}
