"""Who calls: signatures, keys, names of hosts; and what becomes of those who guess."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from access_site import ACCOUNT, REGION, Site, allow, deny, root_key
from served import Server, refusal


def test_the_root_of_the_first_start_may_do_everything(site: Site, function: str) -> None:
    assert site.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert site.ask(function, service="sts", call="get_caller_identity")["answer"]["Account"] == ACCOUNT


def test_an_unsigned_request_is_refused_in_the_form_of_each_protocol(site: Site) -> None:
    parts = urlsplit(site.server.url)

    def refused(path: str, body: str = "", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST" if body else "GET", path, body, names)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("x-amzn-errortype") or content

    assert refused("/2015-03-31/functions/") == (403, "MissingAuthenticationTokenException")
    status, content = refused(
        "/", "{}", X_Amz_Target="Logs_20140328.DescribeLogGroups", Content_Type="application/x-amz-json-1.1"
    )
    assert status == 400
    assert "MissingAuthenticationTokenException" in content
    form = "Action=GetCallerIdentity&Version=2011-06-15"
    status, content = refused("/", form, Content_Type="application/x-www-form-urlencoded")
    assert status == 403
    assert "<Code>MissingAuthenticationToken</Code>" in content
    assert refused("/_ingle/health")[0] == 200


def test_wrong_signatures_and_unknown_keys_have_the_names_of_each_protocol(site: Site) -> None:
    key, secret = site.root
    for service, call, codes in (
        ("lambda", "list_functions", ("InvalidSignatureException", "UnrecognizedClientException")),
        ("logs", "describe_log_groups", ("InvalidSignatureException", "UnrecognizedClientException")),
        ("sts", "get_caller_identity", ("SignatureDoesNotMatch", "InvalidClientTokenId")),
        ("iam", "list_users", ("SignatureDoesNotMatch", "InvalidClientTokenId")),
    ):
        for keys, code in zip(((key, "wrong"), ("AKIAIOSFODNN7EXAMPLE", secret)), codes, strict=True):
            status, found, _ = refusal(getattr(site.client(service, keys), call))
            assert (status, found) == (400 if service == "logs" else 403, code)


def test_an_altered_body_is_refused(site: Site, function: str) -> None:
    client = site.client("lambda")

    def alter(request: Any, **_: Any) -> None:
        request.data = request.body = b'{"altered": true}'

    client.meta.events.register("before-send.lambda.Invoke", lambda request, **_: alter(request))
    assert refusal(client.invoke, FunctionName=function, Payload=b"{}")[1] == "InvalidSignatureException"


def test_a_deactivated_key_a_deleted_key_and_a_key_of_a_deleted_user_are_refused(site: Site) -> None:
    key, secret, name = site.user(allow("lambda:*"))
    client = site.client("lambda", (key, secret))
    client.list_functions()
    site.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    assert refusal(client.list_functions)[1] == "UnrecognizedClientException"
    site.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
    client.list_functions()
    site.iam.delete_access_key(UserName=name, AccessKeyId=key)
    assert refusal(client.list_functions)[1] == "UnrecognizedClientException"


def test_keys_survive_a_crash_and_the_root_key_is_told_once(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", INGLE_AUTH="iam").start()
    try:
        assert server.root is not None
        key, secret = server.root
        server.kill()
        server.start()
        assert server.client("sts", account=key, secret=secret).get_caller_identity()["Account"] == ACCOUNT
        assert server.stop() == 0
        again = root_key(server, ACCOUNT, "--replace")
        server.start()
        assert server.client("sts", account=again[0], secret=again[1]).get_caller_identity()["Account"] == ACCOUNT
        assert refusal(server.client("sts", account=key, secret=secret).get_caller_identity)[0] == 403
        kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert secret.encode() not in kept
    finally:
        server.stop()


def test_who_keeps_failing_has_to_wait_and_others_do_not(site: Site) -> None:
    key, _, _ = site.user(allow("lambda:*"))
    guessing = site.client("lambda", (key, "guess"))
    codes = {refusal(guessing.list_functions)[1] for _ in range(40)}
    assert codes == {"InvalidSignatureException", "ThrottlingException"}
    site.lambda_.list_functions()


def test_hosts_that_are_not_this_server_are_refused(site: Site) -> None:
    parts = urlsplit(site.server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request("GET", "/2015-03-31/functions/", headers={"Host": "attacker.example"})
    assert connection.getresponse().headers["x-amzn-errortype"] == "AccessDeniedException"
    connection.close()


def test_https_with_a_public_name(tmp_path: Path) -> None:
    certificate(tmp_path)
    server = Server(
        tmp_path / "data", INGLE_AUTH="iam", INGLE_TLS_CERT=str(tmp_path / "cert.pem"),
        INGLE_TLS_KEY=str(tmp_path / "key.pem"), INGLE_PUBLIC_HOST="lambda.example",
    ).start()  # fmt: skip
    try:
        assert server.url.startswith("https://")
        assert server.root is not None
        parts = urlsplit(server.url)
        trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        for host, status in (("lambda.example", 200), ("other.example", 403)):
            connection = http.client.HTTPSConnection("localhost", parts.port, timeout=10, context=trusted)
            connection.request("GET", "/_ingle/health", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()
        client = boto3.client(
            "sts", endpoint_url=f"https://localhost:{parts.port}", region_name=REGION,
            verify=str(tmp_path / "cert.pem"), aws_access_key_id=server.root[0], aws_secret_access_key=server.root[1],
        )  # fmt: skip
        assert client.get_caller_identity()["Account"] == ACCOUNT
    finally:
        assert server.stop() == 0


def certificate(directory: Path) -> None:
    """A certificate for localhost that is its own authority: `cert.pem` and `key.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (directory / "cert.pem").write_bytes(made.public_bytes(pem))
    (directory / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def test_a_record_names_the_statement_that_decided(site: Site) -> None:
    named = {**allow("lambda:GetAccountSettings"), "Sid": "Look"}
    key, secret, name = site.user(allow("sqs:*"), named, deny("lambda:ListFunctions"))
    client = site.client("lambda", (key, secret))
    client.get_account_settings()
    for call in (client.list_functions, client.list_layers):
        assert refusal(call)[1] == "AccessDeniedException"
    site.lambda_.get_account_settings()
    wanted = {
        "GetAccountSettings20150331": ("allow", f"user/{name}/p", "Look"),
        "ListFunctions20150331": ("deny", f"user/{name}/p", "3"),
        "ListLayers20150331": ("deny", None, None),
    }
    found: dict[str, tuple[str, str | None, str | None]] = {}
    deadline = time.monotonic() + 20
    while found != wanted:
        assert time.monotonic() < deadline, found
        for line in "".join(path.read_text() for path in (site.server.data_dir / "audit").iterdir()).splitlines():
            record = json.loads(line)
            if record["userIdentity"].get("accessKeyId") == key:
                (decision,) = record["additionalEventData"]["authorization"]
                policy = decision["policy"].rpartition(":")[2] if "policy" in decision else None
                found[record["eventName"]] = (decision["decision"], policy, decision.get("statement"))
