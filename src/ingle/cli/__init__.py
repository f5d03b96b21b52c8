"""The `ingle` command: its verbs, and how their failures are shown.

Each verb imports what it needs when it runs: a server has to be ready within a second of its start, and a client verb
has to feel immediate. The verbs are listed in docs/reference/cli.md; a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ingle.cli import options
from ingle.cli.output import Failure, note, say

app = typer.Typer(
    name="ingle",
    help="AWS Lambda on your own machines.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point. Exit status: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted."""
    try:
        app(prog_name="ingle")
    except Failure as failure:
        note(f"ingle: {failure}")
        sys.exit(failure.status)


@app.command()
def serve(
    host: options.Host = None,
    port: options.Port = None,
    data_dir: options.DataDir = None,
    master_key: options.MasterKey = None,
    auth: options.Auth = None,
    function_api: options.FunctionApi = None,
    public_host: options.PublicHost = None,
    console: options.Console = None,
    tls_cert: options.TlsCert = None,
    tls_key: options.TlsKey = None,
    runtimes_dir: options.RuntimesDir = None,
    python_paths: options.PythonPaths = None,
    node_paths: options.NodePaths = None,
    ruby_paths: options.RubyPaths = None,
    java_paths: options.JavaPaths = None,
    stand_ins: options.StandIns = None,
    isolation: options.Isolation = None,
    egress: options.Egress = None,
    file_systems: options.FileSystems = None,
    idle_reclaim: options.IdleReclaim = None,
    interface_linger: options.InterfaceLinger = None,
    bound_subnets: options.BoundSubnets = None,
    unenforced_vpc: options.UnenforcedVpc = None,
    max_environments: options.MaxEnvironments = None,
    account_concurrency: options.AccountConcurrency = None,
    invocation_rate: options.InvocationRate = None,
    idle_timeout: options.IdleTimeout = None,
    environment_lifetime: options.EnvironmentLifetime = None,
    event_retry_delays: options.EventRetryDelays = None,
    drain_timeout: options.DrainTimeout = None,
    otlp_endpoint: options.OtlpEndpoint = None,
    aws_endpoint: options.AwsEndpoint = None,
    aws_endpoint_s3: options.AwsEndpointS3 = None,
    aws_endpoint_sqs: options.AwsEndpointSqs = None,
    aws_endpoint_sns: options.AwsEndpointSns = None,
    aws_endpoint_events: options.AwsEndpointEvents = None,
    aws_endpoint_others: options.AwsEndpointOthers = None,
    with_aws: options.WithAws = None,
    aws_access_key_id: options.AwsAccessKeyId = None,
    aws_secret_access_key: options.AwsSecretAccessKey = None,
    aws_session_token: options.AwsSessionToken = None,
    log_level: options.LogLevel = None,
    log_format: options.LogFormat = None,
    config: options.Config = None,
) -> None:
    """Serve the Lambda API until SIGTERM or Ctrl-C."""
    given = dict(locals())
    del given["config"]
    settings = options.load(given, config)
    from ingle import app as server
    from ingle.cli import access

    try:
        status = server.serve(settings, on_ready=access.welcome)
    except server.StartupError as problem:
        raise Failure(str(problem)) from None
    raise typer.Exit(status)


@app.command("try")
def try_(
    directory: Annotated[Path, typer.Argument(help="A function: a directory with lambda_function.py.")],
    port: options.Port = None,
    data_dir: options.DataDir = None,
    runtimes_dir: options.RuntimesDir = None,
    config: options.Config = None,
) -> None:
    """Serve, deploy the function in DIRECTORY, invoke it once, and keep serving until Ctrl-C."""
    from ingle.cli import trial

    given = {"port": port, "data_dir": data_dir, "runtimes_dir": runtimes_dir}
    trial.run(directory, options.load(given, config))


@app.command()
def invoke(
    name: Annotated[str, typer.Argument(help="Name or ARN of a function.")],
    payload: Annotated[
        str, typer.Option(metavar="JSON", help="The event; @FILE reads a file, - reads standard input.")
    ] = "{}",
    qualifier: Annotated[str | None, typer.Option(metavar="VERSION", help="Version or alias.")] = None,
    log: Annotated[bool, typer.Option("--log", help="Show the end of the invocation's log on standard error.")] = False,
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """Invoke a function and print what it answers. Exit status 1 when the function failed."""
    from ingle.cli import verbs

    raise typer.Exit(verbs.invoke(name, payload, qualifier, log, options.client(endpoint_url, region)))


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="Name of a function, or of a log group when it starts with /.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(metavar="AGE", help="How far back: 90s, 10m, 2h, 1d.")] = "10m",
    filter_pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Only events that match a CloudWatch Logs filter pattern.")
    ] = None,
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """Print the log of a function."""
    from ingle.cli import verbs

    verbs.logs(name, follow, since, filter_pattern, options.client(endpoint_url, region))


@app.command()
def environments(
    function: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of this function only.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """List the execution environments that are alive: state, age, invocations, memory."""
    from ingle.cli import own_verbs

    own_verbs.environments(function, json, options.client(endpoint_url, region))


test_events = typer.Typer(
    help="Keep events with a function to try it with, for everybody who may use them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(test_events, name="test-events")

_Function = Annotated[str, typer.Argument(metavar="FUNCTION", help="Name or ARN of a function.")]
_TestEvent = Annotated[str, typer.Argument(metavar="NAME", help="Name of a test event.")]


@test_events.command("list")
def kept_events_list(
    function: _Function,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """List the test events of a function."""
    from ingle.cli import own_verbs

    own_verbs.list_test_events(function, json, options.client(endpoint_url, region))


@test_events.command("show")
def kept_event_show(
    function: _Function, name: _TestEvent, endpoint_url: options.EndpointUrl = None, region: options.Region = None
) -> None:
    """Print a test event."""
    from ingle.cli import own_verbs

    own_verbs.show_test_event(function, name, options.client(endpoint_url, region))


@test_events.command("put")
def kept_event_put(
    function: _Function,
    name: _TestEvent,
    event: Annotated[
        str, typer.Argument(metavar="JSON", help="The event; @FILE reads a file, - reads standard input.")
    ],
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """Keep a test event, in place of the one of the same name."""
    from ingle.cli import own_verbs

    own_verbs.put_test_event(function, name, event, options.client(endpoint_url, region))


@test_events.command("delete")
def kept_event_delete(
    function: _Function, name: _TestEvent, endpoint_url: options.EndpointUrl = None, region: options.Region = None
) -> None:
    """Delete a test event."""
    from ingle.cli import own_verbs

    own_verbs.delete_test_event(function, name, options.client(endpoint_url, region))


@app.command("service-model")
def service_model(
    path: Annotated[
        bool, typer.Option("--path", help="The directory that has it, for AWS_DATA_PATH, instead of the model.")
    ] = False,
) -> None:
    """Print the model of Ingle's own service, by which SDKs and the AWS CLI can call it."""
    from ingle.cli import own_verbs

    own_verbs.service_model(path)


network = typer.Typer(
    help="Show what functions are attached to, and put subnets on networks of this machine.",
    rich_markup_mode=None,
)
app.add_typer(network, name="network")


@network.callback(invoke_without_command=True)
def network_show(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """List the network interfaces of functions, and put subnets on networks of this machine."""
    if context.invoked_subcommand is None:
        from ingle.cli import network_verbs

        network_verbs.show(json, options.load({"data_dir": data_dir}, config))


@network.command("bind")
def network_bind(
    subnet: Annotated[str, typer.Argument(metavar="SUBNET-ID")],
    device: Annotated[str, typer.Argument(metavar="INTERFACE", help="A bridge or an interface of this machine.")],
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Put a subnet on an existing network of this machine; it stays so when the server starts again."""
    from ingle.cli import network_verbs

    network_verbs.bind(subnet, device, options.load({"data_dir": data_dir}, config))


@network.command("unbind")
def network_unbind(
    subnet: Annotated[str, typer.Argument(metavar="SUBNET-ID")],
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Put a subnet on a network of its own again."""
    from ingle.cli import network_verbs

    network_verbs.unbind(subnet, options.load({"data_dir": data_dir}, config))


@network.command("allow-forwarding")
def network_allow_forwarding(data_dir: options.DataDir = None, config: options.Config = None) -> None:
    """Print the commands by which other firewalls of this machine let functions through. None of them is run."""
    from ingle.cli import network_verbs

    network_verbs.allow_forwarding(options.load({"data_dir": data_dir}, config))


events = typer.Typer(
    help="List, show, retry and purge the asynchronous events of a running server.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(events, name="events")


@events.command("list")
def events_list(
    function: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of this function only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """List events that are not over: those that wait, run, or have a result to deliver."""
    from ingle.cli import event_verbs

    event_verbs.list_events(function, limit, json, options.load({"data_dir": data_dir}, config))


@events.command("show")
def events_show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The request id of the invocation.")],
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Print one event as JSON, with its payload and what the function answered last."""
    from ingle.cli import event_verbs

    event_verbs.show(event_id, options.load({"data_dir": data_dir}, config))


@events.command("retry")
def events_retry(
    event_id: options.EventId = None,
    function: options.EventFunction = None,
    every: options.EveryEvent = False,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Look at events now, and not when their next attempt or delivery would be due."""
    from ingle.cli import event_verbs

    event_verbs.retry(event_id, function, every, options.load({"data_dir": data_dir}, config))


@events.command("purge")
def events_purge(
    event_id: options.EventId = None,
    function: options.EventFunction = None,
    every: options.EveryEvent = False,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Drop events for good: nothing of them goes to a destination. An attempt that runs is not stopped."""
    from ingle.cli import event_verbs

    event_verbs.purge(event_id, function, every, options.load({"data_dir": data_dir}, config))


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
    runtimes_dir: options.RuntimesDir = None,
    python_paths: options.PythonPaths = None,
    node_paths: options.NodePaths = None,
    ruby_paths: options.RubyPaths = None,
    java_paths: options.JavaPaths = None,
    stand_ins: options.StandIns = None,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Say what this machine allows, and what is weaker because of what it does not."""
    from ingle.cli import machine

    given = {"runtimes_dir": runtimes_dir, "python_paths": python_paths, "node_paths": node_paths,
             "ruby_paths": ruby_paths, "java_paths": java_paths, "stand_ins": stand_ins,
             "data_dir": data_dir}  # fmt: skip
    raise typer.Exit(machine.doctor(options.load(given, config), as_json=json))


runtimes = typer.Typer(
    help="List the runtimes of this machine, or install the libraries they come with.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(runtimes, name="runtimes")


@runtimes.callback()
def runtimes_default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        runtimes_list()


@runtimes.command("list")
def runtimes_list(
    runtimes_dir: options.RuntimesDir = None,
    python_paths: options.PythonPaths = None,
    node_paths: options.NodePaths = None,
    ruby_paths: options.RubyPaths = None,
    java_paths: options.JavaPaths = None,
    stand_ins: options.StandIns = None,
    config: options.Config = None,
) -> None:
    """List runtimes with their interpreter and what is installed for them."""
    from ingle.cli import machine

    given = {"runtimes_dir": runtimes_dir, "python_paths": python_paths, "node_paths": node_paths,
             "ruby_paths": ruby_paths, "java_paths": java_paths, "stand_ins": stand_ins}  # fmt: skip
    machine.list_runtimes(options.load(given, config))


@runtimes.command("install")
def runtimes_install(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all that were found.")
    ] = None,
    runtimes_dir: options.RuntimesDir = None,
    python_paths: options.PythonPaths = None,
    node_paths: options.NodePaths = None,
    ruby_paths: options.RubyPaths = None,
    java_paths: options.JavaPaths = None,
    stand_ins: options.StandIns = None,
    config: options.Config = None,
) -> None:
    """Install what runtimes come with: the AWS SDK, Ingle's Java runtime; for named ones an interpreter too."""
    from ingle.cli import machine

    given = {"runtimes_dir": runtimes_dir, "python_paths": python_paths, "node_paths": node_paths,
             "ruby_paths": ruby_paths, "java_paths": java_paths, "stand_ins": stand_ins}  # fmt: skip
    raise typer.Exit(machine.install_runtimes(names or [], options.load(given, config)))


keys = typer.Typer(help="Look after the master key of a data directory.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(keys, name="keys")


@keys.command("rotate-master")
def keys_rotate_master(
    forget_former: Annotated[
        bool, typer.Option("--forget-former", help="Keep no former key in the file: backups under it cannot be read.")
    ] = False,
    data_dir: options.DataDir = None,
    master_key: options.MasterKey = None,
    config: options.Config = None,
) -> None:
    """Put a new master key in the place of the present one, also while a server runs."""
    from ingle.cli import key_verbs

    key_verbs.rotate_master(options.load({"data_dir": data_dir, "master_key": master_key}, config), forget_former)


@keys.command("unseal")
def keys_unseal(
    sealed: Annotated[Path, typer.Argument(help="An encrypted copy of a database: backups/schema-*.db.sealed.")],
    destination: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
    data_dir: options.DataDir = None,
    master_key: options.MasterKey = None,
    config: options.Config = None,
) -> None:
    """Write a copy of a database readable that was encrypted when the data directory was migrated."""
    from ingle.cli import key_verbs

    settings = options.load({"data_dir": data_dir, "master_key": master_key}, config)
    key_verbs.unseal(sealed, destination, settings)


env = typer.Typer(help="Help with environment variables.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(env, name="env")


@env.command("encrypt")
def env_encrypt(
    name: Annotated[str, typer.Argument(help="Name of the function that is to decrypt it.")],
    key: Annotated[str, typer.Option("--key", metavar="KEY", help="Id, ARN or alias of a KMS key.")],
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """Encrypt a value, which is read from standard input, as Lambda's console does: the ciphertext in base64."""
    from ingle.cli import key_verbs

    key_verbs.encrypt_variable(name, key, options.client(endpoint_url, region))


users = typer.Typer(
    help="Manage who may call: users and their access keys, and the root of an account.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(users, name="users")

_User = Annotated[str, typer.Argument(metavar="NAME", help="Name of a user.")]
_Key = Annotated[str, typer.Argument(metavar="KEY", help="Id of an access key.")]
_Owner = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Whose key it is. Default: the caller's.")]


@users.command("list")
def users_list(endpoint_url: options.EndpointUrl = None, region: options.Region = None) -> None:
    """List users with their access keys."""
    from ingle.cli import access as verbs

    verbs.list_users(options.client(endpoint_url, region))


@users.command("create")
def users_create(
    name: _User,
    policy: Annotated[
        list[str] | None, typer.Option(metavar="ARN", help="Managed policy to attach; may be repeated.")
    ] = None,
    endpoint_url: options.EndpointUrl = None,
    region: options.Region = None,
) -> None:
    """Create a user and print a new access key."""
    from ingle.cli import access as verbs

    verbs.create(name, policy or [], options.client(endpoint_url, region))


@users.command("key")
def users_key(name: _User, endpoint_url: options.EndpointUrl = None, region: options.Region = None) -> None:
    """Print a further access key of a user."""
    from ingle.cli import access as verbs

    verbs.add_key(name, options.client(endpoint_url, region))


@users.command("disable")
def users_disable(
    key: _Key, user: _Owner = None, endpoint_url: options.EndpointUrl = None, region: options.Region = None
) -> None:
    """Deactivate an access key."""
    from ingle.cli import access as verbs

    verbs.switch(key, user, options.client(endpoint_url, region), active=False)


@users.command("enable")
def users_enable(
    key: _Key, user: _Owner = None, endpoint_url: options.EndpointUrl = None, region: options.Region = None
) -> None:
    """Activate an access key."""
    from ingle.cli import access as verbs

    verbs.switch(key, user, options.client(endpoint_url, region), active=True)


@users.command("delete")
def users_delete(name: _User, endpoint_url: options.EndpointUrl = None, region: options.Region = None) -> None:
    """Delete a user with its keys, policies and memberships."""
    from ingle.cli import access as verbs

    verbs.delete(name, options.client(endpoint_url, region))


@users.command("root")
def users_root(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="12 digits.")],
    replace: Annotated[bool, typer.Option("--replace", help="Delete the keys that the root has.")] = False,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Print a new access key of the root of an account, while the server is stopped."""
    from ingle.cli import access as verbs

    verbs.root(account, options.load({"data_dir": data_dir}, config), replace=replace)


@app.command()
def audit(
    since: Annotated[str, typer.Option(metavar="AGE", help="How far back: 90s, 10m, 2h, 1d.")] = "1d",
    json: Annotated[bool, typer.Option("--json", help="Whole records, one JSON object a line.")] = False,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Print who managed what: the calls that a server with authentication took, invocations excepted."""
    from ingle.cli import access

    access.audit(since, json, options.load({"data_dir": data_dir}, config))


@app.command()
def backup(
    destination: Annotated[Path, typer.Argument(help="A directory that does not exist yet.")],
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Write a consistent copy of the data directory, also while a server uses it."""
    from ingle.cli import machine

    machine.backup(destination, options.load({"data_dir": data_dir}, config))


@app.command()
def sign(
    source: Annotated[Path, typer.Argument(help="The zip of a function or a layer.")],
    destination: Annotated[Path, typer.Argument(help="Where the signed zip goes.")],
    profile: Annotated[str, typer.Option(metavar="NAME", help="The signing profile.")],
    keys: options.Keys = None,
    region: options.Region = None,
) -> None:
    """Sign a deployment package with a profile's key and print the ARN of the signing job. Needs no server."""
    from ingle.cli import signing

    signing.sign(source, destination, signing.Place.of(keys, options.client(None, region)), profile)


signer = typer.Typer(help="Make, list and revoke signing profiles.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(signer, name="signer")


@signer.command("create")
def signer_create(
    name: Annotated[str, typer.Argument(help="2 to 64 letters, digits and underscores.")],
    validity: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="How long signatures are good: 90s, 10m, 2h, 1d. Default: 135 months, as on AWS.",
            show_default=False,
        ),
    ] = "4109d",
    keys: options.Keys = None,
    region: options.Region = None,
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Make a signing profile, or a new version of one, and print the version's ARN. Needs no server."""
    from ingle.cli import signing

    place = signing.Place.of(keys, options.client(None, region))
    signing.create(name, options.seconds("--validity", validity), place, options.load({"data_dir": data_dir}, config))


@signer.command("list")
def signer_list(data_dir: options.DataDir = None, config: options.Config = None) -> None:
    """List the signing profiles that a server knows, version by version."""
    from ingle.cli import signing

    signing.list_profiles(options.load({"data_dir": data_dir}, config))


@signer.command("revoke")
def signer_revoke(
    arn: Annotated[str, typer.Argument(help="ARN of a version of a signing profile, or of a signing job.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the revocation.")] = "",
    data_dir: options.DataDir = None,
    config: options.Config = None,
) -> None:
    """Revoke all signatures of a version of a profile, or the one of a signing job. Cannot be undone."""
    from ingle.cli import signing

    signing.revoke(arn, reason, options.load({"data_dir": data_dir}, config))


@app.command()
def version() -> None:
    """Print the version."""
    from ingle import __version__

    say(f"ingle {__version__}")


if __name__ == "__main__":
    main()
