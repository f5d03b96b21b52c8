from __future__ import annotations

import io
from pathlib import Path

import pytest

from ingle import settings
from ingle.settings import SettingsError


def load(options=None, environ=None, config=None):
    return settings.load(options, environ=environ or {}, config=config)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_command_line_wins_over_a_variable_over_the_file_over_the_default(tmp_path):
    Path("ingle.toml").write_text('port = 1\nlog_level = "debug"\nidle_timeout = 2.5\n')
    found = load({"port": "3"}, {"INGLE_PORT": "2", "INGLE_LOG_LEVEL": "error"})
    assert (found.port, found.log_level, found.idle_timeout, found.host) == (3, "error", 2.5, "127.0.0.1")


@pytest.mark.parametrize(
    ("options", "environ", "toml", "text"),
    [
        ({"port": "abc"}, {}, "", "--port: 'abc' is not a whole number from 0 to 65535"),
        ({}, {"INGLE_PORT": "70000"}, "", "INGLE_PORT: '70000' is not a whole number from 0 to 65535"),
        ({}, {}, "port = true", "ingle.toml: port: True is not a whole number from 0 to 65535"),
        ({}, {}, "prot = 1", "ingle.toml: prot is not a setting; did you mean port?"),
        ({}, {"INGLE_PROT": "1"}, "", "INGLE_PROT: no such setting; did you mean INGLE_PORT?"),
        (
            {"master_key": "c2VjcmV0"},
            {},
            "",
            "--master-key: the value is not file, file:PATH, env:NAME or command:PROGRAM",
        ),
        ({}, {"INGLE_MASTER_KEY": "env:"}, "", "INGLE_MASTER_KEY: the value is not file, file:PATH, env:NAME or"),
        (
            {},
            {"INGLE_AWS_SECRET_ACCESS_KEY": "  "},
            "",
            "INGLE_AWS_SECRET_ACCESS_KEY: the value is not a non-empty text",
        ),
        (
            {"file_systems": "efs=/x"},
            {},
            "",
            "--file-systems: 'efs=/x' is not a list of ARN=DIRECTORY[:UID:GID[:ROOT]]",
        ),
        ({"isolation": "docker"}, {}, "", "--isolation: 'docker' is not one of auto, root, user, process"),
        ({"idle_timeout": "nan"}, {}, "", "--idle-timeout: 'nan' is not a number of seconds, 0 or more"),
        ({"public_host": "a b"}, {}, "", "--public-host: 'a b' is not a list of host names"),
        ({}, {"INGLE_HOST": "0.0.0.0"}, "", "INGLE_HOST: '0.0.0.0' is not a loopback address"),
        ({"host": "example.com"}, {}, "", "--host: 'example.com' is not a loopback address"),
        ({"aws_endpoint": "localhost:5000"}, {}, "", "--aws-endpoint: 'localhost:5000' is not an http:// or https://"),
        ({}, {"INGLE_AWS_ENDPOINT_S3": "http://h/?q"}, "", "INGLE_AWS_ENDPOINT_S3: 'http://h/?q' is not an http:// or"),
        (
            {},
            {"INGLE_AWS_ENDPOINT": "http://h:x"},
            "",
            "INGLE_AWS_ENDPOINT: 'http://h:x' is not an http:// or https://",
        ),
        ({}, {"INGLE_AWS_ENDPOINT": "http://u:p@h"}, "", "INGLE_AWS_ENDPOINT: 'http://u:p@h' is not an http:// or"),
        ({}, {}, "port = ", "ingle.toml: not valid TOML"),
        *(
            ({"otlp_endpoint": url}, {}, "", f"--otlp-endpoint: {url!r} is not an http:// or https:// URL")
            for url in (
                "127.0.0.1:4318",
                "ftp://h",
                "http://",
                "http://u:p@h/",
                "http://h/?a",
                "http://h:x",
                "http://h#a",
                "http://h/ü",
                "http://h/a b\x01",
                "http://" + "a" * 64,
            )
        ),
    ],
)
def test_a_bad_value_is_told_in_one_line_with_its_origin(options, environ, toml, text):
    Path("ingle.toml").write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load(options, environ)
    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


def test_secrets_are_not_shown():
    secrets = {"aws_secret_access_key": "s3cr3t", "aws_session_token": "s3cr3t"}
    settings = load({**secrets, "aws_endpoint": "https://h:1/base/"})
    assert (settings.aws_endpoint, settings.aws_secret_access_key) == ("https://h:1/base", "s3cr3t")
    assert "s3cr3t" not in repr(settings)


def test_a_named_file_has_to_exist():
    with pytest.raises(SettingsError, match="no such file"):
        load(config=Path("other.toml"))
    with pytest.raises(SettingsError, match="no such file"):
        load(environ={"INGLE_CONFIG": "other.toml"})


def test_with_authentication_any_address_may_be_listened_on():
    settings = load({"auth": "iam", "host": "0.0.0.0", "public_host": "Lambda.example.com, b"}, environ={})
    assert settings.public_host == ("lambda.example.com", "b")


@pytest.mark.parametrize(
    ("auth", "given", "expected"),
    [("none", None, "open"), ("iam", None, "role"), ("none", "role", "role"), ("iam", "off", "off")],
)
def test_functions_call_as_their_role_where_callers_have_to_sign(auth, given, expected):
    assert load({"auth": auth, "function_api": given}, environ={}).functions_may_call == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_hosts_need_no_authentication(host):
    assert load({"host": host}).host == host


def test_variables_of_other_programs_are_left_alone():
    assert load(environ={"INGLE_SOMETHING_ELSE": "1", "INGLE_PORT": ""}).port == 4566


@pytest.mark.parametrize("url", ["http://127.0.0.1:4318", "https://collector.example/base/", "http://[::1]:4318"])
def test_a_collector_is_a_url(url):
    assert load({}, {"INGLE_OTLP_ENDPOINT": url}).otlp_endpoint == url.rstrip("/")
    assert load().otlp_endpoint is None


def test_paths_are_absolute_and_lists_are_split():
    found = load({"data_dir": "d", "python_paths": "/a:/b"})
    assert found.data_dir == Path("d").absolute()
    assert found.python_paths == (Path("/a"), Path("/b"))


def test_the_client_takes_what_every_aws_tool_takes():
    environ = {"AWS_ENDPOINT_URL": "http://x:1/", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "123456789012"}
    found = settings.client(environ=environ)
    assert (found.url, found.region, found.access_key_id) == ("http://x:1", "eu-west-1", "123456789012")
    assert settings.client(environ={"INGLE_PORT": "99"}).url == "http://127.0.0.1:99"
    with pytest.raises(SettingsError, match="not an http"):
        settings.client(endpoint_url="ftp://x", environ={})


def test_colour_is_for_terminals_that_want_it():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert settings.wants_colour(Terminal(), {})
    assert not settings.wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not settings.wants_colour(io.StringIO(), {})


@pytest.mark.parametrize("source", ["file", "file:/etc/key", "env:KEY", "command:vault read key"])
def test_the_master_key_has_a_source(source):
    assert load({}, {"INGLE_MASTER_KEY": source}).master_key == source
    assert load().master_key == "file"


def test_file_systems_are_told_in_one_text_or_in_a_table():
    first, second = (f"arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-{n}" for n in "ab")
    text = f"{first}=/srv/a  {second}=/srv/b:10:20:/root"
    Path("ingle.toml").write_text(f'[file_systems]\n"{first}" = "/srv/a"\n"{second}" = "/srv/b:10:20:/root"\n')
    for found in (load({"file_systems": text}), load(environ={"INGLE_FILE_SYSTEMS": text}), load()):
        assert [(point.arn, point.directory, point.root, point.uid, point.gid) for point in found.file_systems] == [
            (first, "/srv/a", "/", None, None), (second, "/srv/b", "/root", 10, 20)
        ]  # fmt: skip
    with pytest.raises(SettingsError):
        load({"file_systems": f"{first}=/srv/a {first}=/srv/b"})
