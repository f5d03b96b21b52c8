"""Documents give back the value they were made from."""

from __future__ import annotations

import json

from hypothesis import given

from ingle.domain.function import LATEST, Configuration, Function
from ingle.storage.documents import from_document, to_document

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
