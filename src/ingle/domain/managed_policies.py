"""The AWS managed policies that functions and those who work with them need, as AWS documents them.

Each is named by its ARN with the account `aws`; they cannot be changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ingle.domain.access.document import CURRENT_VERSION
from ingle.domain.identity import ManagedPolicy, PolicyVersion

#: 2015-04-09, the day of Lambda's first managed policies; the others' days are of no use here.
_CREATED = 1_428_537_600
_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
_INTERFACES = [
    "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
]  # fmt: skip
_SOURCES: Mapping[str, list[str]] = {
    "AWSLambdaBasicExecutionRole": [],
    "AWSLambdaVPCAccessExecutionRole": _INTERFACES,
    "AWSLambdaSQSQueueExecutionRole": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "AWSLambdaKinesisExecutionRole": [
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
        "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard",
    ],
    "AWSLambdaDynamoDBExecutionRole": [
        "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    ],
    "AWSLambdaMSKExecutionRole": [
        "kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers",
        "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs",
        "ec2:DeleteNetworkInterface", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
    ],
}  # fmt: skip
_XRAY = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
         "xray:GetSamplingStatisticSummaries"]  # fmt: skip
_READ = ["lambda:Get*", "lambda:List*", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:GetLogEvents",
         "logs:FilterLogEvents", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "iam:GetPolicy",
         "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
         "iam:ListRolePolicies", "iam:ListRoles", "tag:GetResources"]  # fmt: skip


def _allow(actions: list[str] | str, **members: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": "*", **members}


def _policy(name: str, path: str, *statements: dict[str, object]) -> ManagedPolicy:
    text = json.dumps({"Version": CURRENT_VERSION, "Statement": list(statements)}, separators=(",", ":"))
    return ManagedPolicy(
        account="aws", name=name, path=path, id=f"ANPA{name.upper()[:17]:X<17}", created=_CREATED, updated=_CREATED,
        versions={"v1": PolicyVersion(text=text, created=_CREATED)},
    )  # fmt: skip


_PASS = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
_ALL = (
    *(_policy(name, "/service-role/", _allow([*own, *_LOGS])) for name, own in _SOURCES.items()),
    _policy("AWSLambdaRole", "/service-role/", _allow(["lambda:InvokeFunction"])),
    _policy("AWSXRayDaemonWriteAccess", "/", _allow(_XRAY)),
    _policy("AWSLambda_ReadOnlyAccess", "/", _allow(_READ)),
    _policy("AWSLambda_FullAccess", "/", _allow([*_READ, "lambda:*"]), _allow("iam:PassRole", Condition=_PASS)),
    _policy("IAMFullAccess", "/", _allow("iam:*")),
    _policy("AdministratorAccess", "/", _allow("*")),
)

#: By ARN.
AWS_MANAGED: Mapping[str, ManagedPolicy] = {policy.arn: policy for policy in _ALL}
