"""`ingle network`: what the functions of the server that uses a data directory are attached to."""

from __future__ import annotations

import json
from typing import Any

from ingle.cli.output import Failure, note, say, table
from ingle.master_key import channel
from ingle.settings import Settings

_COLUMNS = ("INTERFACE", "ADDRESS", "SUBNET", "ON", "GROUPS", "ENVIRONMENTS", "PROBLEM")


def show(as_json: bool, settings: Settings) -> None:
    """Interfaces, and what their subnets are bound to."""
    found = _ask(settings, "show")
    if as_json:
        say(json.dumps(found, indent=2))
        return
    bindings = found["bindings"]
    table(_COLUMNS, (_row(item, bindings) for item in found["interfaces"]))
    used = {item["subnet"] for item in found["interfaces"]}
    for subnet, device in bindings.items():
        if subnet not in used:
            note(f"{subnet} is bound to {device}; no function is in it")
    if found["uplink"]:
        note(f"{found['outward']} environments in no private network, out over {found['uplink']}")


def _row(item: dict[str, Any], bindings: dict[str, str]) -> tuple[str, ...]:
    return (
        item["interface"], item["address"], item["subnet"], bindings.get(item["subnet"], "its own"),
        " ".join(item["groups"]), str(item["environments"]), item["problem"] or "",
    )  # fmt: skip


def bind(subnet: str, device: str, settings: Settings) -> None:
    """From now on, and after a restart, functions in `subnet` are on the network of `device`."""
    _ask(settings, "bind", subnet=subnet, device=device)
    say(f"{subnet} is bound to {device}")


def unbind(subnet: str, settings: Settings) -> None:
    _ask(settings, "unbind", subnet=subnet)
    say(f"{subnet} is on a network of its own")


def allow_forwarding(settings: Settings) -> None:
    """Commands on standard output, so that a shell can run them; what they are about on standard error."""
    from ingle.storage.errors import DataDirectoryError
    from ingle.worker import forwarding

    try:
        found = forwarding.look(settings)
    except (OSError, DataDirectoryError) as error:
        raise Failure(f"the rule sets of this machine cannot be looked at: {error}") from None
    if not found.commands:
        note("No other firewall refuses what functions send, as far as can be seen.")
        return
    note(f"Refused by {'; '.join(found.refusals)}. What lets it through:")
    for command in found.commands:
        say(command)


def _ask(settings: Settings, what: str, **parts: Any) -> dict[str, Any]:
    try:
        answer = channel.ask(settings.data_dir, {"do": f"network-{what}", **parts})
    except channel.NoServer:
        raise Failure(f"no server uses {settings.data_dir}; start it with `ingle serve`") from None
    except channel.ChannelError as error:
        raise Failure(str(error)) from None
    if "error" in answer:
        raise Failure(str(answer["error"]))
    return answer
