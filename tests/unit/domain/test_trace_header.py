"""The header that carries a trace on."""

from __future__ import annotations

import pytest

from ingle.domain.tracing import TraceHeader, parse_header

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Root={ROOT};Parent={PARENT};Sampled=1", TraceHeader(root=ROOT, parent=PARENT, sampled=True)),
        (f"Root={ROOT};Sampled=0", TraceHeader(root=ROOT, sampled=False)),
        (f"root={ROOT}; sampled=1", TraceHeader(root=ROOT, sampled=True)),
        (f"Root={ROOT};Parent={PARENT}", TraceHeader(root=ROOT, parent=PARENT)),
        (f"Root={ROOT};Sampled=?", TraceHeader(root=ROOT)),
        (f"Sampled=1;Self=1-1;Lineage=a:1|b:2;Root={ROOT}", TraceHeader(root=ROOT, sampled=True, lineage="a:1|b:2")),
        (f"Root={ROOT[:-1]};Parent={PARENT}0;Sampled=2;Lineage=a\r\nb", TraceHeader()),
        ("nonsense", TraceHeader()),
        ("", TraceHeader()),
        (None, TraceHeader()),
        ("ü=;=;;" + "x" * 5000, TraceHeader()),
    ],
)
def test_a_header_gives_what_is_usable_of_it(text, expected):
    assert parse_header(text) == expected


def test_a_complete_header_reads_as_it_was_written():
    header = TraceHeader(root=ROOT, parent=PARENT, sampled=True, lineage="a:1")
    assert str(header) == f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a:1"
    assert parse_header(str(header)) == header
    assert str(TraceHeader(root=ROOT, parent=PARENT, sampled=False)) == f"Root={ROOT};Parent={PARENT};Sampled=0"
