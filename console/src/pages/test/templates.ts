/** Events to begin with. Their shapes are those that AWS documents for each source. Pure. */

import apiGateway from "./templates/api-gateway-v2.json?raw";
import cloudwatchLogs from "./templates/cloudwatch-logs.json?raw";
import dynamodb from "./templates/dynamodb.json?raw";
import eventBridge from "./templates/eventbridge.json?raw";
import functionUrl from "./templates/function-url.json?raw";
import hello from "./templates/hello.json?raw";
import kinesis from "./templates/kinesis.json?raw";
import s3 from "./templates/s3.json?raw";
import scheduled from "./templates/scheduled.json?raw";
import sns from "./templates/sns.json?raw";
import sqs from "./templates/sqs.json?raw";

export interface Template {
  readonly id: string;
  readonly title: string;
  readonly event: string;
}

export const TEMPLATES: readonly Template[] = [
  { id: "hello", title: "Hello", event: hello },
  { id: "function-url", title: "Function URL request", event: functionUrl },
  { id: "api-gateway", title: "API Gateway HTTP API request (2.0)", event: apiGateway },
  { id: "sqs", title: "SQS messages", event: sqs },
  { id: "sns", title: "SNS notification", event: sns },
  { id: "s3", title: "S3 object created", event: s3 },
  { id: "eventbridge", title: "EventBridge event", event: eventBridge },
  { id: "scheduled", title: "EventBridge schedule", event: scheduled },
  { id: "dynamodb", title: "DynamoDB stream records", event: dynamodb },
  { id: "kinesis", title: "Kinesis records", event: kinesis },
  { id: "cloudwatch-logs", title: "CloudWatch Logs subscription", event: cloudwatchLogs },
];
