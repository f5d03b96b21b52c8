"""What policies of resources allow: functions and their URLs, layers, keys, and those of other accounts."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from access_site import ACCOUNT, OTHER, QUIET, REGION, Site, Statement, allow, arn_of, deny, document, trust
from served import package, refusal


def permit(site: Site, function: str, principal: str, action: str = "lambda:InvokeFunction", **params: Any) -> None:
    site.lambda_.add_permission(
        FunctionName=function, StatementId=site.name("s"), Action=action, Principal=principal, **params
    )


def test_a_function_s_policy_allows_users_of_the_account(site: Site) -> None:
    name = site.function()
    key, secret, user = site.user()
    client = site.client("lambda", (key, secret))
    dry = {"FunctionName": name, "InvocationType": "DryRun"}
    assert refusal(client.invoke, **dry)[1] == "AccessDeniedException"
    permit(site, name, f"arn:aws:iam::{ACCOUNT}:user/{user}")
    client.invoke(**dry)
    # It is the policy of the unqualified function, and of nothing else.
    assert refusal(client.invoke, **dry, Qualifier="$LATEST")[1] == "AccessDeniedException"
    version = site.lambda_.publish_version(FunctionName=name)["Version"]
    assert refusal(client.invoke, **dry, Qualifier=version)[1] == "AccessDeniedException"
    site.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    permit(site, name, f"arn:aws:iam::{ACCOUNT}:user/{user}", Qualifier="live")
    client.invoke(**dry, Qualifier="live")
    site.lambda_.put_resource_policy(ResourceArn=arn_of(name), Policy=document(deny(
        "lambda:InvokeFunction", arn_of(name), Principal="*")))  # fmt: skip
    assert refusal(site.lambda_.invoke, **dry)[2].endswith("with an explicit deny in a resource-based policy")


def test_across_accounts_both_sides_have_to_allow(site: Site, other: Site, function: str) -> None:
    dry = {"FunctionName": arn_of(function), "InvocationType": "DryRun"}
    _, code, message = refusal(other.lambda_.invoke, **dry)
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the lambda:InvokeFunction action")
    permit(site, function, "222222222222")
    other.lambda_.invoke(**dry)
    assert (
        json.loads(
            other.lambda_.invoke(
                FunctionName=arn_of(function), Payload=b'{"service":"sts","call":"get_caller_identity"}'
            )["Payload"].read()
        )["answer"]["Account"]
        == ACCOUNT
    )
    nobody = other.caller("lambda")
    assert refusal(nobody.invoke, **dry)[2].endswith(
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )
    other.caller("lambda", allow("lambda:InvokeFunction")).invoke(**dry)
    assert refusal(other.lambda_.get_function, FunctionName=arn_of(function))[1] == "AccessDeniedException"
    assert refusal(other.lambda_.invoke, FunctionName=function)[:2] == (404, "ResourceNotFoundException")


def test_layers_are_used_across_accounts_where_both_sides_allow(site: Site, other: Site) -> None:
    content = {"ZipFile": package({"python/m.py": "x = 1\n"})}
    arn = site.lambda_.publish_layer_version(LayerName="shared", Content=content)["LayerVersionArn"]
    assert refusal(other.lambda_.get_layer_version_by_arn, Arn=arn)[1] == "AccessDeniedException"
    site.lambda_.add_layer_version_permission(
        LayerName="shared", VersionNumber=1, StatementId="s", Action="lambda:GetLayerVersion", Principal="222222222222"
    )
    assert other.lambda_.get_layer_version_by_arn(Arn=arn)["LayerVersionArn"] == arn
    assert refusal(other.caller("lambda").get_layer_version_by_arn, Arn=arn)[1] == "AccessDeniedException"


def test_a_function_of_another_region_is_not_reached(site: Site, function: str) -> None:
    there = site.client("lambda", region="eu-west-1")
    assert refusal(there.get_function, FunctionName=function)[:2] == (404, "ResourceNotFoundException")
    assert refusal(there.get_function, FunctionName=arn_of(function))[:2] == (404, "ResourceNotFoundException")


def key_policy(*statements: Statement) -> str:
    return document(*statements)


def test_keys_are_used_by_whom_their_policy_and_identity_policies_allow(site: Site, other: Site) -> None:
    kms = site.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    nobody, able = site.caller("kms"), site.caller("kms", allow("kms:Encrypt", key))
    _, code, message = refusal(nobody.encrypt, KeyId=key, Plaintext=b"x")
    assert code == "AccessDeniedException"
    assert message.endswith("because no identity-based policy allows the kms:Encrypt action")
    able.encrypt(KeyId=key, Plaintext=b"x")
    assert refusal(able.describe_key, KeyId=key)[1] == "AccessDeniedException"
    assert refusal(able.create_key)[1] == "AccessDeniedException"
    assert refusal(nobody.generate_random, NumberOfBytes=8)[1] == "AccessDeniedException"
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    without_tenant = {"Null": {"kms:EncryptionContext:tenant": "true"}}
    only = key_policy(allow("kms:*", Principal=root), deny("kms:Encrypt", Principal="*", Condition=without_tenant))
    kms.put_key_policy(KeyId=key, Policy=only)
    assert refusal(able.encrypt, KeyId=key, Plaintext=b"x")[2].endswith(
        "with an explicit deny in a resource-based policy"
    )
    able.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})
    assert refusal(other.client("kms").encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})[1] == (
        "AccessDeniedException"
    )
    shared = key_policy(allow("kms:*", Principal=root), allow("kms:Encrypt", Principal={"AWS": OTHER}))
    kms.put_key_policy(KeyId=key, Policy=shared)
    other.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    assert refusal(other.caller("kms").encrypt, KeyId=key, Plaintext=b"x")[1] == "AccessDeniedException"


def test_a_grant_allows_what_it_names_in_its_context(site: Site) -> None:
    kms = site.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    name, secret, user = site.user()
    kms.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/{user}", Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "a"}},
    )  # fmt: skip
    client = site.client("kms", (name, secret))
    client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a", "more": "b"})
    for context in ({}, {"tenant": "b"}):
        refused = refusal(client.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context)
        assert refused[1] == "AccessDeniedException"
    assert refusal(client.describe_key, KeyId=key)[1] == "AccessDeniedException"


def test_a_function_has_its_variables_under_a_key_of_its_own(site: Site) -> None:
    key = site.client("kms").create_key()["KeyMetadata"]["Arn"]
    name = site.function(source="import os\ndef handler(event, context):\n    return os.environ['COLOUR']\n")
    change = {"FunctionName": name, "KMSKeyArn": key, "Environment": {"Variables": {"COLOUR": "red"}}}
    client = site.caller("lambda", allow("lambda:*"))
    assert refusal(client.update_function_configuration, **change)[0] in (400, 403, 502)
    site.lambda_.update_function_configuration(**change)
    site.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert site.ask(name) == "red"


def at_url(site: Site, address: str, keys: tuple[str, ...] | None, region: str = REGION) -> tuple[int, Any]:
    """The status and the JSON of an answer to a signed GET at a function URL."""
    headers = {"Host": urlsplit(address).netloc}
    if keys is not None:
        request = AWSRequest("GET", address, headers={})
        SigV4Auth(Credentials(*keys), "lambda", region).add_auth(request)
        headers |= dict(request.headers.items())
    parts = urlsplit(site.server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", "/", headers=headers)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_a_url_with_iam_takes_a_signature_and_both_permissions(site: Site) -> None:
    name = site.function(
        source="def handler(event, context):\n    return event['requestContext']['authorizer']['iam']\n"
    )
    url = site.lambda_.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    key, secret, user = site.user(allow(["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], arn_of(name)))
    status, told = at_url(site, url, (key, secret))
    assert status == 200, told
    assert (told["accessKey"], told["accountId"]) == (key, ACCOUNT)
    assert told["userArn"] == f"arn:aws:iam::{ACCOUNT}:user/{user}"
    status, refused = at_url(site, url, None)
    assert status == 403
    assert refused["Message"].startswith("Forbidden")
    status, refused = at_url(site, url, (key, "wrong"))
    assert status == 403
    assert refused["message"].startswith("The request signature we calculated does not match")
    assert at_url(site, url, ("AKIAIOSFODNN7EXAMPLE", secret))[0] == 403
    assert at_url(site, url, (key, secret), region="eu-west-1")[0] == 403
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        assert at_url(site, url, site.user(allow(action))[:2])[0] == 403
    condition = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    denied = site.user(allow("lambda:*"), deny("lambda:InvokeFunctionUrl", Condition=condition))
    assert at_url(site, url, denied[:2])[0] == 403


def test_streams_take_the_permissions_of_invocations(site: Site) -> None:
    name = site.function(source=QUIET)
    given = {"FunctionName": name, "Payload": b'"x"'}
    nobody = site.caller("lambda")
    status, code, message = refusal(nobody.invoke_with_response_stream, **given)
    assert (status, code) == (403, "AccessDeniedException")
    assert "lambda:InvokeFunction" in message
    assert refusal(nobody.invoke_with_response_stream, **given, InvocationType="DryRun")[0] == 403
    key, _, _ = site.user()
    wrong = site.client("lambda", (key, "wrong"))
    assert refusal(wrong.invoke_with_response_stream, **given)[:2] == (403, "InvalidSignatureException")
    somebody = site.caller("lambda", allow("lambda:InvokeFunction", arn_of(name)))
    first, last = somebody.invoke_with_response_stream(**given)["EventStream"]
    assert (first["PayloadChunk"]["Payload"], last) == (b'"x"', {"InvokeComplete": {}})


def test_a_streaming_url_with_iam_takes_a_signature_and_both_permissions(site: Site) -> None:
    name = site.function(
        source="def handler(event, context):\n    return event['requestContext']['authorizer']['iam']\n"
    )
    url = site.lambda_.create_function_url_config(
        FunctionName=name, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM"
    )["FunctionUrl"]  # fmt: skip
    key, secret, _ = site.user(allow(["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], arn_of(name)))
    status, told = at_url(site, url, (key, secret))
    assert (status, told["accessKey"]) == (200, key)
    assert at_url(site, url, None)[0] == 403
    assert at_url(site, url, (key, "wrong"))[0] == 403
    assert at_url(site, url, site.user(allow("lambda:InvokeFunction"))[:2])[0] == 403


def test_who_is_made_again_is_somebody_else(site: Site) -> None:
    """A policy, a trust policy, a key policy and a grant that named the first do not mean the second."""
    function, kms = site.function(source=QUIET), site.client("kms")
    key, secret, name = site.user(allow("kms:CreateGrant"))
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    statement = site.lambda_.add_permission(
        FunctionName=function, StatementId="s", Action="lambda:InvokeFunction", Principal=arn
    )["Statement"]
    assert json.loads(statement)["Principal"] == {"AWS": arn}
    role = site.role(trusted=trust(AWS=[arn, f"arn:aws:iam::{ACCOUNT}:root"])).rpartition("/")[2]
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_grant(KeyId=key_id, GranteePrincipal=arn, Operations=["Encrypt"])

    def named() -> list[object]:
        policy = json.loads(site.lambda_.get_policy(FunctionName=function)["Policy"])
        trusted = site.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        return [
            policy["Statement"][0]["Principal"]["AWS"], trusted["Statement"][0]["Principal"]["AWS"][0],
            kms.list_grants(KeyId=key_id)["Grants"][0]["GranteePrincipal"],
        ]  # fmt: skip

    assert named() == [arn] * 3
    first = site.client("lambda", (key, secret))
    assert first.invoke(FunctionName=function)["StatusCode"] == 200
    site.client("kms", (key, secret)).encrypt(KeyId=key_id, Plaintext=b"x")
    unique = site.iam.get_user(UserName=name)["User"]["UserId"]
    site.iam.delete_user_policy(UserName=name, PolicyName="p")
    site.iam.delete_access_key(UserName=name, AccessKeyId=key)
    site.iam.delete_user(UserName=name)
    assert named() == [unique] * 3
    site.iam.create_user(UserName=name)
    made = site.iam.create_access_key(UserName=name)["AccessKey"]
    second = made["AccessKeyId"], made["SecretAccessKey"]
    assert refusal(site.client("lambda", second).invoke, FunctionName=function)[1] == "AccessDeniedException"
    refused = refusal(site.client("kms", second).encrypt, KeyId=key_id, Plaintext=b"x")
    assert refused[1] == "AccessDeniedException"
    assert refusal(
        site.client("sts", second).assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="s1"
    )[1] == "AccessDenied"  # fmt: skip
    assert named() == [unique] * 3
    site.lambda_.remove_permission(FunctionName=function, StatementId="s")


def test_who_is_not_there_cannot_be_named(site: Site, function: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/nobody"
    refused = refusal(
        site.lambda_.add_permission, FunctionName=function, StatementId="s", Action="lambda:InvokeFunction",
        Principal=arn,
    )  # fmt: skip
    assert refused == (400, "InvalidParameterValueException",
                       "The provided principal was invalid. Please check the principal and try again.")  # fmt: skip
    assert refusal(site.iam.create_role, RoleName="r", AssumeRolePolicyDocument=trust(AWS=arn)) == (
        400, "MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"'
    )  # fmt: skip
    assert refusal(site.client("kms").create_key, Policy=document(
        {**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {**allow("kms:Encrypt"), "Principal": {"AWS": arn}},
    ))[1] == "MalformedPolicyDocumentException"  # fmt: skip
