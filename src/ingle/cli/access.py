"""Who may call a server: `ingle users`, and what the first start with authentication says.

Everything but `root` goes through IAM's API with the caller's own credentials. `root` is for when there are none: it
writes to the data directory of a server that is stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from ingle.cli import options
from ingle.cli.client import Api
from ingle.cli.output import Failure, say
from ingle.settings import Client, Settings
from ingle.storage.audit import read_audit
from ingle.storage.layout import AUDIT
from ingle.supporting.iam_records import NewKey


def welcome(url: str, first: NewKey | None) -> None:
    """Say that the server is ready; at the first start with authentication, the key to begin with."""
    say(f"Ingle is ready at {url}")
    if first is not None:
        say(f"Access key of the root of account {first.key.account}, shown this once:")
        _show_key(first.key.id, first.secret)


def _show_key(access_key_id: str, secret: str) -> None:
    say(f"AWS_ACCESS_KEY_ID={access_key_id}")
    say(f"AWS_SECRET_ACCESS_KEY={secret}")


def list_users(client: Client) -> None:
    """Users with their access keys and whether these are active."""
    api = Api(client)
    for user in _names(api, "ListUsers", "Users", "UserName"):
        keys = _keys(api, user)
        shown = ", ".join(f"{key} ({state})" for key, state in keys) or "no access key"
        say(f"{user}: {shown}")


def _names(api: Api, action: str, listed: str, name: str, **parameters: str) -> list[str]:
    """The names in all pages of a list."""
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        tree = api.iam(action, **parameters, **marker)
        found += [element.text or "" for element in tree.iterfind(f".//{listed}/member/{name}")]
        if tree.findtext(".//IsTruncated") != "true":
            return found
        marker = {"Marker": tree.findtext(".//Marker") or ""}


def _keys(api: Api, user: str) -> list[tuple[str, str]]:
    tree = api.iam("ListAccessKeys", UserName=user)
    return [
        (item.findtext("AccessKeyId") or "", (item.findtext("Status") or "").lower())
        for item in tree.iterfind(".//AccessKeyMetadata/member")
    ]


def create(name: str, policies: list[str], client: Client) -> None:
    """A user with an access key, and managed policies attached."""
    api = Api(client)
    api.iam("CreateUser", UserName=name)
    for arn in policies:
        api.iam("AttachUserPolicy", UserName=name, PolicyArn=arn)
    add_key(name, client)


def add_key(name: str, client: Client) -> None:
    tree = Api(client).iam("CreateAccessKey", UserName=name)
    _show_key(tree.findtext(".//AccessKeyId") or "", tree.findtext(".//SecretAccessKey") or "")


def switch(access_key_id: str, user: str | None, client: Client, *, active: bool) -> None:
    """Activate or deactivate a key; without `user`, one of the caller's own."""
    named = {} if user is None else {"UserName": user}
    Api(client).iam("UpdateAccessKey", AccessKeyId=access_key_id, Status="Active" if active else "Inactive", **named)


def delete(name: str, client: Client) -> None:
    """A user with everything that would keep it: keys, policies, memberships."""
    api = Api(client)
    for key, _ in _keys(api, name):
        api.iam("DeleteAccessKey", UserName=name, AccessKeyId=key)
    for arn in _names(api, "ListAttachedUserPolicies", "AttachedPolicies", "PolicyArn", UserName=name):
        api.iam("DetachUserPolicy", UserName=name, PolicyArn=arn)
    tree = api.iam("ListUserPolicies", UserName=name)
    for policy in [element.text or "" for element in tree.iterfind(".//PolicyNames/member")]:
        api.iam("DeleteUserPolicy", UserName=name, PolicyName=policy)
    for group in _names(api, "ListGroupsForUser", "Groups", "GroupName", UserName=name):
        api.iam("RemoveUserFromGroup", UserName=name, GroupName=group)
    api.iam("DeleteUser", UserName=name)


def audit(since: str, as_json: bool, settings: Settings) -> None:
    """Print the records of management calls, oldest first."""
    for found in read_audit(settings.data_dir / AUDIT, time.time() - options.seconds("--since", since)):
        who = found.get("userIdentity", {}).get("arn", "")
        ended = found.get("errorCode", "ok")
        line = f"{found.get('eventTime')} {who} {found.get('eventSource')} {found.get('eventName')} {ended}{_by(found)}"
        say(json.dumps(found) if as_json else line)


def _by(record: Mapping[str, Any]) -> str:
    """The statement that a decision was made by, or the last of several."""
    decisions = record.get("additionalEventData", {}).get("authorization", [])
    named = [decision for decision in decisions if "policy" in decision]
    return f" by {named[-1]['policy']} ({named[-1]['statement']})" if named else ""


def root(account: str, settings: Settings, *, replace: bool) -> None:
    """A new access key of the root of an account. `replace`: those that there are stop working."""
    if len(account) != 12 or not (account.isascii() and account.isdigit()):
        raise Failure(f"{account!r} is not an account: 12 digits", 2)
    from ingle import app

    try:
        made = app.new_root_key(settings, account, replace=replace)
    except app.StartupError as problem:
        raise Failure(str(problem)) from None
    _show_key(made.key.id, made.secret)
