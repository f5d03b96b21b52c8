"""Documents give back the value they were made from."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given

from ingle.domain.function import LATEST, Configuration, Function, Signature
from ingle.storage.documents import Shared, from_document, to_document

from .values import functions, make_function


@given(function=functions())
def test_a_version_survives_json(function: Function):
    document = json.loads(json.dumps(to_document(function.latest)))
    assert from_document(function.key, LATEST, document) == function.latest


def test_members_that_a_document_lacks_take_the_defaults():
    latest = make_function().latest
    document = to_document(latest)
    for name in ("description", "timeout", "environment", "logging", "vpc", "file_systems"):
        del document["configuration"][name]
    assert from_document(latest.key, LATEST, document) == latest


def test_a_document_names_every_member_of_a_configuration():
    assert set(to_document(make_function().latest)["configuration"]) == set(Configuration.__dataclass_fields__)


def test_what_versions_have_in_common_is_in_memory_once():
    latest = make_function().latest
    shared = Shared()
    texts = [json.dumps(to_document(latest))] * 2
    first, second = (from_document(latest.key, LATEST, json.loads(text), shared) for text in texts)
    assert first == second == latest
    assert first.configuration.package is second.configuration.package
    assert first.configuration.logging is second.configuration.logging
    assert first.configuration.role is second.configuration.role


def test_packages_that_differ_in_their_signatures_stay_apart():
    latest = make_function().latest
    signature = Signature(profile_version_arn="arn:profile", job_arn="arn:job")
    signed = replace(latest.configuration.package, signature=signature)
    shared = Shared()
    for package in (latest.configuration.package, signed):
        version = replace(latest, configuration=replace(latest.configuration, package=package))
        document = json.loads(json.dumps(to_document(version)))
        assert from_document(latest.key, LATEST, document, shared).configuration.package.signature == package.signature
