/** How a function decrypts a variable that was encrypted in transit. Pure. */

export function pythonSnippet(variable: string): string {
  return `import os
from base64 import b64decode

import boto3

# Once for each environment, and not for each invocation.
${variable} = boto3.client("kms").decrypt(
    CiphertextBlob=b64decode(os.environ["${variable}"]),
    EncryptionContext={"LambdaFunctionName": os.environ["AWS_LAMBDA_FUNCTION_NAME"]},
)["Plaintext"].decode()


def lambda_handler(event, context):
    ...  # uses ${variable}
`;
}

export function nodeSnippet(variable: string): string {
  return `import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";

// Once for each environment, and not for each invocation.
const { Plaintext } = await new KMSClient().send(new DecryptCommand({
  CiphertextBlob: Buffer.from(process.env.${variable}, "base64"),
  EncryptionContext: { LambdaFunctionName: process.env.AWS_LAMBDA_FUNCTION_NAME },
}));
const ${variable} = Buffer.from(Plaintext).toString();

export const handler = async (event) => {
  // uses ${variable}
};
`;
}
