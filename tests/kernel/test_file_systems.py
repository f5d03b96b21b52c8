"""File systems of functions: directories of the host at /mnt/..., shared by environments, owned by the access point."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingle.settings import AccessPoint
from ingle.worker import doctor
from served import Server, create_function, refusal, settle

pytestmark = pytest.mark.kernel

BASE = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-"
PLAIN, OWNED, LEADING, LOST = (f"{BASE}{letter * 17}" for letter in "abcd")
S3_FILES = f"arn:aws:s3files:us-east-1:000000000000:file-system/fs-{'0' * 17}/access-point/fsap-{'1' * 17}"
UID, GID = 51234, 54321

SOURCE = """
import os
def handler(event, context):
    try:
        answer = eval(event)
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"
    return answer if isinstance(answer, (list, dict, int, str, type(None))) else str(answer)
"""


@pytest.fixture(scope="module")
def share(tmp_path_factory: Any) -> Path:
    if os.geteuid() != 0:
        pytest.skip("mounting directories for functions takes root")
    path: Path = tmp_path_factory.mktemp("share")
    path.chmod(0o755)
    for name, mode in (("owned", 0o700), ("plain", 0o755), ("secret", 0o755)):
        (path / name).mkdir(mode=mode)
        (path / name).chmod(mode)
    os.chown(path / "owned", UID, GID)
    (path / "secret" / "key").write_text("secret")
    (path / "plain" / "roots").write_text("of root")
    (path / "plain" / "roots").chmod(0o600)
    (path / "plain" / "public").write_text("for all")
    return path


@pytest.fixture(scope="module")
def server(share: Path, tmp_path_factory: Any) -> Iterator[Server]:
    lost = share / "lost"
    lost.mkdir()
    points = [
        f"{PLAIN}={share}/plain:{UID}:{GID}", f"{OWNED}={share}:{UID}:{GID}:/owned", f"{S3_FILES}={share}/owned",
        f"{LEADING}={share}/owned:{UID}:{GID}:/out", f"{LOST}={lost}",
    ]  # fmt: skip
    running = Server(tmp_path_factory.mktemp("server") / "data", INGLE_FILE_SYSTEMS=" ".join(points)).start()
    lost.rmdir()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def vpc(server: Server) -> dict[str, list[str]]:
    ec2 = server.client("ec2")
    subnet, group = ec2.describe_subnets()["Subnets"][0], ec2.describe_security_groups()["SecurityGroups"][0]
    return {"SubnetIds": [subnet["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]}


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("lambda")


@pytest.fixture
def function(client: Any, vpc: dict[str, list[str]]) -> Any:
    made: list[str] = []

    def create(arn: str, path: str = "/mnt/data") -> str:
        name = f"fs{len(made)}"
        mounts = [{"Arn": arn, "LocalMountPath": path}]
        create_function(client, name, SOURCE, VpcConfig=vpc, FileSystemConfigs=mounts, MemorySize=256)
        made.append(name)
        return name

    yield create
    for name in made:
        client.delete_function(FunctionName=name)


def ask(client: Any, name: str, code: str) -> Any:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(code))
    content = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, content
    return content


def test_environments_share_what_they_write_and_it_is_the_access_point_s(
    client: Any, function: Any, share: Path
) -> None:
    one, two = function(OWNED), function(OWNED, "/mnt/elsewhere")
    assert ask(client, one, "open('/mnt/data/a', 'w').write('hello')") == 5
    assert ask(client, two, "open('/mnt/elsewhere/a').read()") == "hello"
    assert ask(client, two, "open('/mnt/elsewhere/a', 'a').write('!')") == 1
    assert ask(client, one, "open('/mnt/data/a').read()") == "hello!"
    found = (share / "owned" / "a").stat()
    assert (found.st_uid, found.st_gid) == (UID, GID)
    # Inside, they are the function's own.
    assert ask(client, one, "os.stat('/mnt/data/a').st_uid == os.getuid()") is True
    assert ask(client, one, "os.mkdir('/mnt/data/d')") is None
    assert sorted(ask(client, two, "os.listdir('/mnt/elsewhere')")) == ["a", "d"]
    assert ask(client, one, "os.rmdir('/mnt/data/d')") is None


def test_files_of_others_are_nobody_s(client: Any, function: Any) -> None:
    name = function(PLAIN)
    assert ask(client, name, "open('/mnt/data/public').read()") == "for all"
    assert ask(client, name, "os.stat('/mnt/data/public').st_uid") == 65534
    assert ask(client, name, "open('/mnt/data/roots').read()") == "PermissionError: Permission denied"
    assert ask(client, name, "open('/mnt/data/new', 'w')") == "PermissionError: Permission denied"
    assert "Error: " in ask(client, name, "os.chmod('/mnt/data/public', 0o777)")
    assert ask(client, name, "oct(os.stat('/mnt/data/public').st_mode)") == "0o100644"


def test_a_function_sees_nothing_beside_its_root(client: Any, function: Any, share: Path) -> None:
    name = function(OWNED)
    assert ask(client, name, "os.listdir('/mnt')") == ["data"]
    assert ask(client, name, "os.listdir('/mnt/data/..')") == ["data"]
    assert ask(client, name, f"os.path.exists('{share}')") is False
    assert ask(client, name, f"os.symlink('{share}/secret/key', '/mnt/data/link')") is None
    assert ask(client, name, "open('/mnt/data/link').read()") == "FileNotFoundError: No such file or directory"
    (share / "owned" / "link").unlink()
    assert ask(client, name, "os.mkdir('/mnt/other')") == "OSError: Read-only file system"
    for device in ("os.mknod('/mnt/data/n', 0o60600, os.makedev(7, 0))",):
        assert ask(client, name, device) == "PermissionError: Operation not permitted"


def test_a_program_with_another_user_s_rights_gains_none(client: Any, function: Any, share: Path) -> None:
    name = function(OWNED)
    program = share / "owned" / "id"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    os.chown(program, UID, GID)
    program.chmod(0o6755)
    code = "__import__('subprocess').run(['/mnt/data/id', '-u'], capture_output=True, text=True).stdout.strip()"
    assert ask(client, name, f"{code} == str(os.getuid())") is True
    program.unlink()


def test_a_root_that_a_function_made_a_link_is_not_followed(client: Any, function: Any, share: Path) -> None:
    (share / "owned" / "out").symlink_to(share / "secret")
    name = function(LEADING)
    status, code, message = refusal(client.invoke, FunctionName=name, Payload=b'"1"')
    assert (status, code) == (403, "EFSMountFailureException")
    assert "symbolic links" in message
    (share / "owned" / "out").unlink()
    (share / "owned" / "out").mkdir()
    os.chown(share / "owned" / "out", UID, GID)
    assert ask(client, name, "os.listdir('/mnt/data')") == []
    (share / "owned" / "out").rmdir()


def test_a_directory_that_went_fails_the_mount(client: Any, function: Any) -> None:
    status, code, message = refusal(client.invoke, FunctionName=function(LOST), Payload=b'"1"')
    assert (status, code) == (403, "EFSMountFailureException")
    assert LOST in message


def test_an_access_point_of_s3_files_belongs_to_its_directory_s_owner(client: Any, function: Any, share: Path) -> None:
    name = function(S3_FILES)
    assert ask(client, name, "open('/mnt/data/s3', 'w').write('x')") == 1
    assert (share / "owned" / "s3").stat().st_uid == UID
    assert ask(client, name, "os.unlink('/mnt/data/s3')") is None


def test_a_runtime_that_is_started_again_finds_its_files(client: Any, function: Any) -> None:
    name = function(OWNED)
    assert ask(client, name, "open('/mnt/data/kept', 'w').write('x')") == 1
    crash = client.invoke(FunctionName=name, Payload=json.dumps("os._exit(3)"))
    assert crash["FunctionError"] == "Unhandled"
    crash["Payload"].read()
    assert ask(client, name, "open('/mnt/data/kept').read()") == "x"
    assert ask(client, name, "os.unlink('/mnt/data/kept')") is None


def test_file_systems_come_and_go_with_updates(client: Any, function: Any) -> None:
    name = function(OWNED)
    client.update_function_configuration(FunctionName=name, FileSystemConfigs=[])
    settle(client, name)
    assert ask(client, name, "os.listdir('/mnt')") == []
    shown = client.get_function_configuration(FunctionName=name)
    assert "FileSystemConfigs" not in shown


def test_doctor_tells_whether_directories_can_be_mounted(share: Path) -> None:
    point = AccessPoint(arn=OWNED, directory=str(share), root="/owned", uid=UID, gid=GID)
    (found,) = doctor.file_systems([point], doctor.try_mount)
    assert found.level is doctor.Level.OK, found.detail


def test_unknown_access_points_are_refused_and_leave_nothing(client: Any, vpc: dict[str, list[str]]) -> None:
    mounts = [{"Arn": f"{BASE}{'e' * 17}", "LocalMountPath": "/mnt/data"}]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="does not exist"):
        create_function(client, "unknown", SOURCE, VpcConfig=vpc, FileSystemConfigs=mounts)
    assert refusal(client.get_function, FunctionName="unknown")[0] == 404
