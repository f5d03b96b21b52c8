"""The table of all operations with what works, in Markdown, made from the models and the registry.

`docs` holds its output, and a test compares them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ingle.wire import Service

TITLES = {
    "lambda": "AWS Lambda",
    "kms": "AWS Key Management Service",
    "logs": "Amazon CloudWatch Logs",
    "cloudwatch": "Amazon CloudWatch",
    "resourcegroupstaggingapi": "AWS Resource Groups Tagging API",
    "iam": "AWS Identity and Access Management",
    "sts": "AWS Security Token Service",
    "ec2": "Amazon EC2",
    "ingle": "Ingle",
}


def operations_table(implemented: Collection[tuple[str, str]], services: Iterable[str] = tuple(TITLES)) -> str:
    """A section for each service. `implemented` is the registry's keys, (service, operation)."""
    sections = [_section(service, implemented) for service in services]
    return "# Operations\n\n" + "\n".join(sections)


def _section(service: str, implemented: Collection[tuple[str, str]]) -> str:
    names = sorted(Service.load(service).operation_names)
    working = sum((service, name) in implemented for name in names)
    lines = [
        f"## {TITLES.get(service, service)}",
        "",
        f"{working} of {len(names)} operations work. The others answer `NotImplementedException` with their name.",
        "",
        "| Operation | State |",
        "|---|---|",
    ]
    lines += [f"| {name} | {'works' if (service, name) in implemented else 'not implemented'} |" for name in names]
    return "\n".join(lines) + "\n"
