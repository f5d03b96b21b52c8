"""Who may use a function, and what it may do, set in the console and read back."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from access_site import BASIC, Site, allow, document, trust
from console.scenarios import PYTHON, needs_browser, needs_node, play
from served import Server, create_function, refusal

SOURCE = "def handler(event, context):\n    return 'called'\n"
PUBLIC = ("FunctionURLAllowPublicAccess", "FunctionURLInvokeAllowPublicAccess")
PROFILE = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/abcdefghij"


def _statements(client: Any, **params: Any) -> dict[str, Any]:
    policy = json.loads(client.get_policy(FunctionName="guarded", **params)["Policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def _prepare(server: Server) -> Any:
    iam, client = server.client("iam"), server.client("lambda")
    for name in ("first", "second"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(Service="lambda.amazonaws.com"))
    iam.attach_role_policy(RoleName="first", PolicyArn=BASIC)
    iam.put_role_policy(RoleName="first", PolicyName="buckets", PolicyDocument=document(allow("s3:GetObject")))
    create_function(client, "guarded", SOURCE, Runtime=PYTHON, Role="arn:aws:iam::000000000000:role/first")
    client.publish_version(FunctionName="guarded")
    client.create_alias(FunctionName="guarded", Name="live", FunctionVersion="1")
    client.create_code_signing_config(
        Description="what the team signs", AllowedPublishers={"SigningProfileVersionArns": [PROFILE]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )  # fmt: skip
    return client


@needs_node
@needs_browser
def test_roles_policies_urls_and_signatures_are_set_in_the_page(console_server: Server) -> None:
    client = _prepare(console_server)

    def answer(asked: Any) -> str:
        if asked == "close the policy":
            client.remove_permission(FunctionName="guarded", StatementId=PUBLIC[1])
        elif asked == "is it signed?":
            found = client.get_function_code_signing_config(FunctionName="guarded")
            assert ":code-signing-config:" in found["CodeSigningConfigArn"]
        else:
            # Names below localhost are loopback to browsers, and not to every resolver.
            headers = {"Host": urlsplit(asked["call"]).netloc, "Origin": "https://b.test"}
            with urllib.request.urlopen(urllib.request.Request(console_server.url, headers=headers)) as response:
                assert response.headers["Access-Control-Allow-Origin"] == "https://b.test"
                return str(response.read().decode())
        return "done"

    checked = play("access", {"url": console_server.url}, answer)
    assert checked == [
        "adding a statement, with a mistake", "permissions", "a function URL, with a mistake", "function URLs",
        "code signing", "permissions in the dark, narrow", "url in the dark, narrow",
    ]  # fmt: skip
    _read_back(client)


def _read_back(client: Any) -> None:
    role = client.get_function_configuration(FunctionName="guarded")["Role"]
    assert role.startswith("arn:aws:iam::000000000000:role/service-role/guarded-role-")
    found = _statements(client)
    assert set(found) == {"bucket", *PUBLIC}
    assert found["bucket"]["Condition"] == {
        "StringEquals": {"AWS:SourceAccount": "000000000000"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"}
    }  # fmt: skip
    assert found[PUBLIC[1]]["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    [never] = _statements(client, Qualifier="live").values()
    assert (never["Effect"], never["Action"]) == ("Deny", "lambda:GetFunction")
    url = client.get_function_url_config(FunctionName="guarded")
    assert (url["AuthType"], url["InvokeMode"]) == ("NONE", "RESPONSE_STREAM")
    assert "AllowOrigins" not in url.get("Cors", {})
    assert refusal(client.get_function_url_config, FunctionName="guarded", Qualifier="live")[0] == 404
    assert "CodeSigningConfigArn" not in client.get_function_code_signing_config(FunctionName="guarded")


@pytest.mark.thorough
@needs_node
@needs_browser
def test_what_is_denied_is_said_part_by_part(directory: Path) -> None:
    server = Server(directory / "data", INGLE_AUTH="iam").start()
    try:
        site = Site(server)
        create_function(site.lambda_, "guarded", SOURCE, Role=site.role(), Runtime=PYTHON)
        read = [
            "lambda:GetFunctionConfiguration",
            "lambda:GetPolicy",
            "lambda:ListAliases",
            "lambda:ListVersionsByFunction",
        ]
        key, secret, _ = site.user(allow(read))
        assert play("access", {"url": server.url, "key": key, "secret": secret}) == ["permissions that are denied"]
    finally:
        assert server.stop() == 0
