"""The one frozen Settings of a server, and where each value comes from.

Precedence: command line, then `INGLE_*` variables, then `ingle.toml`, then the default. The process environment is
read here and nowhere else in the package. Every setting is listed in docs/reference/settings.md; a test compares.
Called by `cli`; everything else receives a `Settings` or single values of it.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

CONFIG_FILE = "ingle.toml"
PREFIX = "INGLE_"
#: Variables with the prefix that are not settings of the server.
OTHER_VARIABLES = frozenset({"INGLE_CONFIG"})


class SettingsError(ValueError):
    """A value that cannot be used. The text is one line and names where the value came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint:
    """What stands in for an access point of a file system: a directory of this machine.

    Functions see what is below `root` inside it. What they write belongs to `uid` and `gid`; None: to the directory's
    owner and group.
    """

    arn: str
    directory: str
    root: str = "/"
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the text or TOML value of a setting becomes its Python value. `parse` raises ValueError(what is expected)."""

    parse: Callable[[Any], Any]
    help: str


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is not a non-empty text")
    return value.strip()


def _url(value: Any) -> str:
    expected = "is not an http:// or https:// URL"
    text = _text(value).rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(expected)
    return text


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser().absolute()


def _paths(value: Any) -> tuple[Path, ...]:
    if isinstance(value, str):
        value = [part for part in value.split(os.pathsep) if part]
    if not isinstance(value, list | tuple):
        raise ValueError("is not a list of paths")
    return tuple(item if isinstance(item, Path) else _path(item) for item in value)


def _assignments(value: Any) -> tuple[tuple[str, Path], ...]:
    """NAME=PATH, each once."""
    if isinstance(value, str):
        value = [part.partition("=")[::2] for part in value.split(",") if part]
    if isinstance(value, dict):
        value = list(value.items())
    if not isinstance(value, list | tuple):
        raise ValueError("is not a list of RUNTIME=PATH")
    pairs = [(str(name).strip(), path if isinstance(path, Path) else _path(path)) for name, path in value if path]
    if len(dict(pairs)) < len(value):
        raise ValueError("is not a list of RUNTIME=PATH, each runtime once")
    return tuple(pairs)


def _pairs(value: Any, expected: str) -> list[tuple[str, str]]:
    """NAME=VALUE, with commas between, each name once."""
    if isinstance(value, str):
        value = [part.partition("=")[::2] for part in value.split(",") if part.strip()]
    if isinstance(value, dict):
        value = list(value.items())
    if not isinstance(value, list | tuple):
        raise ValueError(expected)
    pairs = [(str(name).strip(), str(found).strip()) for name, found in value]
    if len(dict(pairs)) < len(pairs):
        raise ValueError(expected)
    return pairs


def _services(value: Any) -> tuple[tuple[str, str], ...]:
    """SERVICE=URL, each once."""
    expected = "is not a list of SERVICE=URL, each service once"
    pairs = [(name, _url(url)) for name, url in _pairs(value, expected)]
    if not all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name, _ in pairs):
        raise ValueError(expected)
    return tuple(pairs)


def _bound(value: Any) -> tuple[tuple[str, str], ...]:
    """SUBNET=DEVICE, each once."""
    expected = "is not a list of SUBNET-ID=DEVICE, each subnet once"
    pairs = _pairs(value, expected)
    if not all(subnet.startswith("subnet-") and device for subnet, device in pairs):
        raise ValueError(expected)
    return tuple(pairs)


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


_ACCESS_POINT = re.compile(
    r"(?P<arn>arn:[a-z0-9-]+:(?:elasticfilesystem|s3files):[^\s=]+)=(?P<directory>/[^:\s]*)"
    r"(?::(?P<uid>\d{1,10}):(?P<gid>\d{1,10})(?::(?P<root>/[^:\s]*))?)?"
)


def _access_points(value: Any) -> tuple[AccessPoint, ...]:
    """ARN=DIRECTORY[:UID:GID[:ROOT]], separated by white space; in a file also a table or a list of these."""
    expected = "is not a list of ARN=DIRECTORY[:UID:GID[:ROOT]], each access point once"
    if isinstance(value, str):
        value = value.split()
    if isinstance(value, dict):
        value = [f"{arn}={rest}" for arn, rest in value.items()]
    if not isinstance(value, list | tuple):
        raise ValueError(expected)
    found = []
    for item in value:
        matched = _ACCESS_POINT.fullmatch(item) if isinstance(item, str) else None
        if matched is None:
            raise ValueError(expected)
        uid, gid = (None if matched[name] is None else int(matched[name]) for name in ("uid", "gid"))
        found.append(
            AccessPoint(
                arn=matched["arn"], directory=matched["directory"], root=matched["root"] or "/", uid=uid, gid=gid
            )
        )
    if len({point.arn for point in found}) < len(found):
        raise ValueError(expected)
    return tuple(found)


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        expected = f"is not a whole number from {low} to {high}"
        if isinstance(value, str):
            try:
                value = int(value)
            except ValueError:
                raise ValueError(expected) from None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(expected)
        return value

    return parse


def _seconds(value: Any) -> float:
    expected = "is not a number of seconds, 0 or more"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(expected) from None
    if isinstance(value, bool) or not math.isfinite(number) or number < 0:
        raise ValueError(expected)
    return number


def _delays(value: Any) -> tuple[float, ...]:
    """Seconds, separated by commas."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("is not a list of seconds")
    return tuple(_seconds(item) for item in value)


def _choice(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return str(value)

    return parse


def _hosts(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError("is not a list of host names")
    names = tuple(part.strip().lower() for part in parts if part.strip())
    if not all(re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name) for name in names):
        raise ValueError("is not a list of host names")
    return names


def _endpoint(value: Any) -> str:
    expected = "is not an http:// or https:// URL of a host, without user, query and fragment"
    text = _text(value)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        raise ValueError(expected) from None
    extra = parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not host or extra or not text.isascii() or not text.isprintable():
        raise ValueError(expected)
    return text.rstrip("/")


def _master_key(value: Any) -> str:
    """See `encryption.sources`."""
    text = _text(value)
    kind, _, rest = text.partition(":")
    named = bool(rest.strip())
    if text == "file" or (kind in ("file", "command") and named) or (kind == "env" and named and "=" not in rest):
        return text
    raise ValueError("is not file, file:PATH, env:NAME or command:PROGRAM")


def _data_home() -> Path:
    configured = os.environ.get("XDG_DATA_HOME", "")
    # The XDG rule: a relative path is invalid and is ignored.
    home = Path(configured) if os.path.isabs(configured) else Path("~/.local/share").expanduser()
    return home / "ingle"


def _setting(default: Any, parse: Callable[[Any], Any], help_text: str, *, secret: bool = False) -> Any:
    kind = {"kind": _Kind(parse, help_text)}
    if callable(default):
        return field(default_factory=default, metadata=kind)
    return field(default=default, metadata=kind, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be chosen about a server. Build it with `load`, which checks; tests may build it directly."""

    host: str = _setting("127.0.0.1", _text, "Address to listen on. Without authentication: loopback only.")
    port: int = _setting(4566, _integer(0, 65535), "Port to listen on; 0 takes a free one.")
    data_dir: Path = _setting(lambda: _data_home() / "data", _path, "Directory of everything that outlives the server.")
    master_key: str = _setting(
        "file",
        _master_key,
        "Where the key is that everything secret is encrypted under: file, file:PATH, env:NAME or command:PROGRAM.",
    )
    auth: str = _setting(
        "none",
        _choice("none", "iam"),
        "Who may call: none (anyone on this machine), or iam (whoever signs and is allowed to).",
    )
    function_api: str = _setting(
        "auto",
        _choice("auto", "open", "role", "off"),
        "Whether functions may call Ingle's API: open (as anybody on this machine), role (as far as their execution "
        "role allows), off, or auto (role with authentication, else open).",
    )
    public_host: tuple[str, ...] = _setting(
        (), _hosts, "Further names by which callers reach this server, with commas between; other names are refused."
    )
    console: str = _setting("on", _choice("on", "off"), "Whether the web console is served, at `/_ingle/console/`.")
    tls_cert: Path | None = _setting(None, _path, "Certificate chain (PEM) to serve HTTPS with; needs `tls_key`.")
    tls_key: Path | None = _setting(None, _path, "Private key (PEM) of that certificate.")
    runtimes_dir: Path = _setting(
        lambda: _data_home() / "runtimes",
        _path,
        "Directory of what runtimes come with: the AWS SDK, and interpreters that were fetched.",
    )
    python_paths: tuple[Path, ...] = _setting((), _paths, "Further Python interpreters, or directories of them.")
    node_paths: tuple[Path, ...] = _setting((), _paths, "Further Node.js interpreters, or directories of them.")
    ruby_paths: tuple[Path, ...] = _setting((), _paths, "Further Ruby interpreters, or directories of them.")
    java_paths: tuple[Path, ...] = _setting((), _paths, "Further Java installations, or directories of them.")
    stand_ins: tuple[tuple[str, Path], ...] = _setting(
        (), _assignments, "Ruby interpreters of another version that runtimes are to use all the same."
    )
    isolation: str = _setting(
        "auto", _choice("auto", "root", "user", "process"), "How functions are isolated: auto, root, user or process."
    )
    egress: str = _setting(
        "open",
        _choice("open", "none"),
        "Outbound network of functions: open (out of this machine by translation), or none.",
    )
    file_systems: tuple[AccessPoint, ...] = _setting(
        (),
        _access_points,
        "Directories that stand in for access points of file systems: ARN=DIRECTORY[:UID:GID[:ROOT]].",
    )
    idle_reclaim: float = _setting(
        1_209_600.0, _seconds, "Seconds without an environment after which a function in a private network is Inactive."
    )
    interface_linger: float = _setting(
        1200.0, _seconds, "Seconds a network interface stays when no function needs it any more."
    )
    bound_subnets: tuple[tuple[str, str], ...] = _setting(
        (), _bound, "Subnets on bridges or interfaces of this machine: SUBNET-ID=DEVICE, with commas between."
    )
    unenforced_vpc: bool = _setting(
        False, _flag, "Run functions with VpcConfig without their network where security groups cannot be enforced."
    )
    max_environments: int = _setting(1000, _integer(1, 2000), "Most execution environments at one time.")
    account_concurrency: int = _setting(
        1000, _integer(1, 1_000_000), "Invocations that one account may run at one time in one region."
    )
    invocation_rate: int = _setting(
        0, _integer(0, 1000),
        "Invocations that may begin in a second for each that may run at one time; AWS has 10. 0: no limit.",
    )  # fmt: skip
    idle_timeout: float = _setting(600.0, _seconds, "Seconds an execution environment stays when nobody calls it.")
    environment_lifetime: float = _setting(
        14_400.0, _seconds, "Seconds after which an execution environment is replaced, however busy it is."
    )
    event_retry_delays: tuple[float, ...] = _setting(
        (60.0, 120.0), _delays, "Seconds before each retry of an asynchronous event after a function error."
    )
    drain_timeout: float = _setting(30.0, _seconds, "Seconds running invocations get to finish when the server stops.")
    otlp_endpoint: str | None = _setting(
        None, _endpoint, "OpenTelemetry collector that traces of functions go to, over OTLP/HTTP: its base URL."
    )
    aws_endpoint: str = _setting("", _url, "URL of the AWS services that Ingle does not have itself.")
    aws_endpoint_s3: str = _setting("", _url, "URL of S3, if it is not that of `aws_endpoint`.")
    aws_endpoint_sqs: str = _setting("", _url, "URL of SQS, if it is not that of `aws_endpoint`.")
    aws_endpoint_sns: str = _setting("", _url, "URL of SNS, if it is not that of `aws_endpoint`.")
    aws_endpoint_events: str = _setting("", _url, "URL of EventBridge, if it is not that of `aws_endpoint`.")
    aws_endpoint_others: tuple[tuple[str, str], ...] = _setting(
        (), _services, "URLs of further services, by the names that requests to them are signed for."
    )
    with_aws: bool = _setting(
        False, _flag, "Start moto, which stands in for every service without a URL, and stop it with the server."
    )
    aws_access_key_id: str = _setting("test", _text, "Access key id with which those services are called.")
    aws_secret_access_key: str = _setting("test", _text, "Secret of that access key.", secret=True)
    aws_session_token: str = _setting("", _text, "Session token of that access key, if it has one.", secret=True)
    log_level: str = _setting(
        "info", _choice("debug", "info", "warning", "error"), "Least severity of the server's own log lines."
    )
    log_format: str = _setting(
        "auto", _choice("auto", "console", "json"), "Form of the server's own log: auto is console on a terminal."
    )

    @property
    def functions_may_call(self) -> str:
        """`function_api` without `auto`."""
        if self.function_api != "auto":
            return self.function_api
        return "role" if self.auth == "iam" else "open"

    @property
    def service_urls(self) -> dict[str, str]:
        """Where single AWS services are, by the names that requests to them are signed for."""
        urls = {
            "s3": self.aws_endpoint_s3, "sqs": self.aws_endpoint_sqs, "sns": self.aws_endpoint_sns,
            "events": self.aws_endpoint_events, **dict(self.aws_endpoint_others),
        }  # fmt: skip
        return {name: url for name, url in urls.items() if url}

    @property
    def url(self) -> str:
        """Base URL of the configured endpoint."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def scheme(self) -> str:
        return "http" if self.tls_cert is None else "https"


def names() -> tuple[str, ...]:
    return tuple(item.name for item in fields(Settings))


def option(name: str) -> str:
    """The command line's spelling of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    return PREFIX + name.upper()


def describe(name: str) -> str:
    """One line that says what a setting is for."""
    return str(_kinds()[name].help)


def load(
    options: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Settings:
    """Settings from all sources.

    `options`: what the command line gave, by setting name; None values count as not given. `config`: the file to
    read instead of `INGLE_CONFIG` or `./ingle.toml`; it must exist. Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, (value, origin) in _collect(options or {}, environ, config).items():
        try:
            values[name] = _kinds()[name].parse(value)
        except ValueError as problem:
            shown = "the value" if name in _secrets() else _shown(value)
            raise SettingsError(f"{origin}: {shown} {problem}") from None
        origins[name] = origin
    settings = Settings(**values)
    _check(settings, origins)
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How a client verb reaches a server: the endpoint, and the region and the access key it calls with.

    Without a secret nothing is signed, which is enough for a server without authentication.
    """

    url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


def client(
    *, endpoint_url: str | None = None, region: str | None = None, environ: Mapping[str, str] | None = None
) -> Client:
    """Where client verbs go: the given values, then the variables that every AWS tool reads, then the settings.

    Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    url = endpoint_url or environ.get("AWS_ENDPOINT_URL") or load(environ=environ).url
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"{_shown(url)} is not an http:// or https:// URL")
    region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return Client(
        url=url.rstrip("/"), region=region, access_key_id=environ.get("AWS_ACCESS_KEY_ID") or "test",
        secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY", ""), session_token=environ.get("AWS_SESSION_TOKEN", ""),
    )  # fmt: skip


def private_keys() -> Path:
    """Where private keys of signing profiles are if nothing else is said: apart from what a server reads."""
    return _data_home() / "signing-keys"


def variable_value(name: str) -> str | None:
    """A variable of the process environment that a setting names."""
    return os.environ.get(name)


def wants_colour(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """Colour and progress are for terminals, and not for people who said so with NO_COLOR."""
    environ = os.environ if environ is None else environ
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. Names other than localhost are not resolved and count as not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _kinds() -> dict[str, _Kind]:
    return {item.name: item.metadata["kind"] for item in fields(Settings)}


def _secrets() -> frozenset[str]:
    """Settings whose values are in no message. `master_key` names a source, and may be taken for the key itself."""
    return frozenset({"master_key", *(item.name for item in fields(Settings) if not item.repr)})


def _collect(options: Mapping[str, Any], environ: Mapping[str, str], config: Path | None) -> dict[str, tuple[Any, str]]:
    """The strongest value of each setting that is given at all, with the words that say where it stands."""
    found = dict(_from_file(environ, config))
    _refuse_misspelt(environ)
    for name in names():
        if environ.get(variable(name), "") != "":
            found[name] = (environ[variable(name)], variable(name))
        if options.get(name) is not None:
            found[name] = (options[name], option(name))
    return found


def _from_file(environ: Mapping[str, str], config: Path | None) -> dict[str, tuple[Any, str]]:
    named = config or (Path(environ["INGLE_CONFIG"]) if environ.get("INGLE_CONFIG") else None)
    path = named or Path(CONFIG_FILE)
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"{path}: no such file") from None
        return {}
    except OSError as problem:
        raise SettingsError(f"{path}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: not valid TOML: {problem}") from None
    for name in content:
        if name not in names():
            raise SettingsError(f"{path}: {name} is not a setting{_suggestion(name, names())}")
    return {name: (value, f"{path}: {name}") for name, value in content.items()}


def _refuse_misspelt(environ: Mapping[str, str]) -> None:
    """A variable that is nearly a setting is a mistake that would otherwise stay silent. Others are not ours."""
    known = {variable(name) for name in names()} | OTHER_VARIABLES
    for name in environ:
        if name.startswith(PREFIX) and name not in known and (hint := _suggestion(name, tuple(known))):
            raise SettingsError(f"{name}: no such setting{hint}")


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches  # not needed in the usual case

    close = get_close_matches(name, known, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _check(settings: Settings, origins: Mapping[str, str]) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = ("tls_cert", "tls_key") if settings.tls_key is None else ("tls_key", "tls_cert")
        raise SettingsError(f"{origins[given]}: HTTPS takes a certificate and its key; {missing} is missing")
    if settings.auth == "none" and not is_loopback(settings.host):
        raise SettingsError(
            f"{origins['host']}: {_shown(settings.host)} is not a loopback address, "
            "and without authentication Ingle serves this machine only"
        )
