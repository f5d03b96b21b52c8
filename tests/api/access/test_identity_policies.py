"""What policies of users and groups allow, through boto3, each kind of unauthorised access tried."""

from __future__ import annotations

from access_site import ACCOUNT, REGION, Site, allow, arn_of, deny, document
from served import package, refusal


def test_without_a_permission_nothing_is_allowed_and_the_refusal_says_why(site: Site, function: str) -> None:
    key, secret, name = site.user()
    status, code, message = refusal(site.client("lambda", (key, secret)).invoke, FunctionName=function)
    assert (status, code) == (403, "AccessDeniedException")
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{arn_of(function)} because no identity-based policy allows the lambda:InvokeFunction action"
    )


def test_permissions_are_for_actions_and_resources(site: Site, function: str) -> None:
    client = site.caller("lambda", allow("lambda:InvokeFunction", arn_of(function)))
    client.invoke(FunctionName=function, InvocationType="DryRun")
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"
    assert refusal(client.invoke, FunctionName="other", InvocationType="DryRun")[1] == "AccessDeniedException"
    # The bare ARN is not the qualified one.
    qualified = {"FunctionName": function, "Qualifier": "$LATEST", "InvocationType": "DryRun"}
    assert refusal(client.invoke, **qualified)[1] == "AccessDeniedException"
    every = site.caller("lambda", allow("lambda:InvokeFunction", f"{arn_of(function)}:*"))
    every.invoke(**qualified)
    assert refusal(every.invoke, FunctionName=function, InvocationType="DryRun")[1] == "AccessDeniedException"


def test_an_explicit_deny_wins(site: Site, function: str) -> None:
    client = site.caller("lambda", allow("*"), deny("lambda:Invoke*"))
    client.get_function(FunctionName=function)
    _, code, message = refusal(client.invoke, FunctionName=function)
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_limits(site: Site, function: str) -> None:
    policy = site.iam.create_policy(PolicyName=site.name("b"), PolicyDocument=document(allow("lambda:Get*")))
    client = site.caller("lambda", allow("*"), boundary=policy["Policy"]["Arn"])
    client.get_function(FunctionName=function)
    assert refusal(client.invoke, FunctionName=function)[2].endswith(
        "because no permissions boundary allows the lambda:InvokeFunction action"
    )


def test_groups_and_policy_versions_count_at_once(site: Site, function: str) -> None:
    key, secret, name = site.user()
    client = site.client("lambda", (key, secret))
    group = site.name("group")
    site.iam.create_group(GroupName=group)
    policy = site.iam.create_policy(PolicyName=site.name("p"), PolicyDocument=document(allow("lambda:GetFunction")))
    arn = policy["Policy"]["Arn"]
    site.iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"
    site.iam.add_user_to_group(GroupName=group, UserName=name)
    client.get_function(FunctionName=function)
    site.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"


def test_conditions_are_asked_of_the_request(site: Site, function: str) -> None:
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.1"}, "StringEquals": {"aws:RequestedRegion": REGION}}
    site.caller("lambda", allow("lambda:GetFunction", Condition=here)).get_function(FunctionName=function)
    elsewhere = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    client = site.caller("lambda", allow("lambda:GetFunction", Condition=elsewhere))
    assert refusal(client.get_function, FunctionName=function)[1] == "AccessDeniedException"
    urls = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    client = site.caller("lambda", allow("lambda:CreateFunctionUrlConfig", Condition=urls))
    assert refusal(client.create_function_url_config, FunctionName=function, AuthType="NONE")[1] == (
        "AccessDeniedException"
    )
    client.create_function_url_config(FunctionName=function, AuthType="AWS_IAM")
    own = allow("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    key, secret, name = site.user(own)
    iam = site.client("iam", (key, secret))
    assert iam.get_user(UserName=name)["User"]["UserName"] == iam.get_user()["User"]["UserName"] == name
    assert refusal(iam.get_user, UserName="somebody")[:2] == (403, "AccessDenied")


def test_layers_and_networks_of_a_function_are_conditions(site: Site) -> None:
    """Each of the keys lets one change through and denies another."""
    name = site.function()
    content = {"ZipFile": package({"python/m.py": "x = 1\n"})}
    layers = [site.lambda_.publish_layer_version(LayerName=f"cond{n}", Content=content)["LayerVersionArn"]
              for n in (1, 2)]  # fmt: skip
    rule = {"ForAllValues:StringLike": {"lambda:Layer": ["*:layer:cond1:*"]}}
    may = [allow("lambda:UpdateFunctionConfiguration", Condition=rule), allow("lambda:GetLayerVersion")]
    change = site.caller("lambda", *may).update_function_configuration
    assert refusal(change, FunctionName=name, Layers=layers)[1] == "AccessDeniedException"
    change(FunctionName=name, Layers=layers[:1])
    for key in ("lambda:VpcIds", "lambda:SubnetIds", "lambda:SecurityGroupIds"):
        attached = {"Null": {key: "false"}}
        denied = deny("lambda:UpdateFunctionConfiguration", Condition=attached)
        change = site.caller("lambda", allow("lambda:*"), denied).update_function_configuration
        vpc = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
        assert refusal(change, FunctionName=name, VpcConfig=vpc)[2].endswith(
            "with an explicit deny in an identity-based policy"
        )


def test_other_services_are_authorised_too(site: Site, function: str) -> None:
    site.ask(function, service="sts", call="get_caller_identity")
    nobody = site.user()[:2]
    for service, call, params in (
        ("logs", "describe_log_groups", {}),
        ("cloudwatch", "list_metrics", {}),
        ("resourcegroupstaggingapi", "get_resources", {}),
        ("iam", "list_users", {}),
    ):
        assert refusal(getattr(site.client(service, nobody), call), **params)[1] in (
            "AccessDeniedException", "AccessDenied"
        )  # fmt: skip
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{function}:*"
    logs = site.caller("logs", allow("logs:FilterLogEvents", group))
    assert refusal(logs.filter_log_events, logGroupName="/aws/lambda/other")[1] == "AccessDeniedException"
    assert site.client("sts", nobody).get_caller_identity()["Account"] == ACCOUNT


def test_tagging_needs_the_permission_of_the_resource_s_own_service(site: Site, function: str) -> None:
    api = site.caller("resourcegroupstaggingapi", allow("tag:*"))
    failed = api.tag_resources(ResourceARNList=[arn_of(function)], Tags={"a": "b"})["FailedResourcesMap"]
    assert failed[arn_of(function)]["ErrorCode"] == "AccessDeniedException"
    api = site.caller("resourcegroupstaggingapi", allow(["tag:*", "lambda:TagResource"]))
    assert api.tag_resources(ResourceARNList=[arn_of(function)], Tags={"a": "b"})["FailedResourcesMap"] == {}
