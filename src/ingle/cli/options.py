"""The options of `serve`, one for each setting, and how they become Settings.

Every value arrives as text and is checked in `settings`, so that a bad one is told in the same words wherever it
came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ingle import settings
from ingle.cli.output import Failure


def _option(name: str, metavar: str) -> Any:
    return typer.Option(settings.option(name), metavar=metavar, help=settings.describe(name), show_default=False)


Host = Annotated[str | None, _option("host", "ADDRESS")]
Port = Annotated[str | None, _option("port", "PORT")]
DataDir = Annotated[str | None, _option("data_dir", "DIRECTORY")]
MasterKey = Annotated[str | None, _option("master_key", "SOURCE")]
Auth = Annotated[str | None, _option("auth", "MODE")]
FunctionApi = Annotated[str | None, _option("function_api", "MODE")]
PublicHost = Annotated[str | None, _option("public_host", "NAME[,...]")]
Console = Annotated[str | None, _option("console", "on|off")]
TlsCert = Annotated[str | None, _option("tls_cert", "FILE")]
TlsKey = Annotated[str | None, _option("tls_key", "FILE")]
RuntimesDir = Annotated[str | None, _option("runtimes_dir", "DIRECTORY")]
PythonPaths = Annotated[str | None, _option("python_paths", "PATH[:PATH...]")]
NodePaths = Annotated[str | None, _option("node_paths", "PATH[:PATH...]")]
RubyPaths = Annotated[str | None, _option("ruby_paths", "PATH[:PATH...]")]
JavaPaths = Annotated[str | None, _option("java_paths", "PATH[:PATH...]")]
StandIns = Annotated[str | None, _option("stand_ins", "RUNTIME=PATH[,...]")]
Isolation = Annotated[str | None, _option("isolation", "MODE")]
Egress = Annotated[str | None, _option("egress", "open|none")]
FileSystems = Annotated[str | None, _option("file_systems", "ARN=DIRECTORY[ ...]")]
IdleReclaim = Annotated[str | None, _option("idle_reclaim", "SECONDS")]
InterfaceLinger = Annotated[str | None, _option("interface_linger", "SECONDS")]
BoundSubnets = Annotated[str | None, _option("bound_subnets", "SUBNET=DEVICE[,...]")]
UnenforcedVpc = Annotated[str | None, _option("unenforced_vpc", "true|false")]
AccountConcurrency = Annotated[str | None, _option("account_concurrency", "NUMBER")]
InvocationRate = Annotated[str | None, _option("invocation_rate", "NUMBER")]
MaxEnvironments = Annotated[str | None, _option("max_environments", "NUMBER")]
IdleTimeout = Annotated[str | None, _option("idle_timeout", "SECONDS")]
EnvironmentLifetime = Annotated[str | None, _option("environment_lifetime", "SECONDS")]
EventRetryDelays = Annotated[str | None, _option("event_retry_delays", "SECONDS[,...]")]
DrainTimeout = Annotated[str | None, _option("drain_timeout", "SECONDS")]
OtlpEndpoint = Annotated[str | None, _option("otlp_endpoint", "URL")]
AwsEndpoint = Annotated[str | None, _option("aws_endpoint", "URL")]
AwsEndpointS3 = Annotated[str | None, _option("aws_endpoint_s3", "URL")]
AwsEndpointSqs = Annotated[str | None, _option("aws_endpoint_sqs", "URL")]
AwsEndpointSns = Annotated[str | None, _option("aws_endpoint_sns", "URL")]
AwsEndpointEvents = Annotated[str | None, _option("aws_endpoint_events", "URL")]
AwsEndpointOthers = Annotated[str | None, _option("aws_endpoint_others", "SERVICE=URL[,...]")]
WithAws = Annotated[bool | None, typer.Option("--with-aws", help=settings.describe("with_aws"))]
AwsAccessKeyId = Annotated[str | None, _option("aws_access_key_id", "ID")]
AwsSecretAccessKey = Annotated[str | None, _option("aws_secret_access_key", "SECRET")]
AwsSessionToken = Annotated[str | None, _option("aws_session_token", "TOKEN")]
LogLevel = Annotated[str | None, _option("log_level", "LEVEL")]
LogFormat = Annotated[str | None, _option("log_format", "FORMAT")]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings file instead of ./ingle.toml.")]
EndpointUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Where Ingle listens. Default: AWS_ENDPOINT_URL, then the settings."),
]
Region = Annotated[
    str | None, typer.Option(metavar="REGION", help="Default: AWS_REGION, AWS_DEFAULT_REGION, then us-east-1.")
]

EventId = Annotated[str | None, typer.Argument(metavar="[ID]", help="The request id of one invocation.")]
EventFunction = Annotated[
    str | None, typer.Option("--function", metavar="NAME", help="All events of the functions of this name.")
]
EveryEvent = Annotated[bool, typer.Option("--all", help="All events of the server.")]

Keys = Annotated[
    Path | None,
    typer.Option(
        metavar="DIRECTORY",
        help="Directory of the private keys of signing profiles. Default: ~/.local/share/ingle/signing-keys.",
    ),
]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(name: str, text: str) -> int:
    """From a length of time, which the option `name` has, to seconds. Raises Failure."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if match is None:
        raise Failure(f"{name}: {text!r} is not a length of time such as 90s, 10m, 2h or 1d", 2)
    return int(match[1]) * _UNITS[match[2]]


def load(options: Mapping[str, Any], config: Path | None = None) -> settings.Settings:
    """Settings from the options given and the other sources. Raises Failure."""
    try:
        return settings.load(options, config=config)
    except settings.SettingsError as problem:
        raise Failure(str(problem), 2) from None


def client(endpoint_url: str | None, region: str | None) -> settings.Client:
    """Where a client verb goes. Raises Failure."""
    try:
        return settings.client(endpoint_url=endpoint_url, region=region)
    except settings.SettingsError as problem:
        raise Failure(str(problem), 2) from None
