"""The text that Prometheus reads."""

from __future__ import annotations

import math

from ingle.observability.exposition import Family, Sample, render

COUNTER = Family(name="things_total", kind="counter", help="Things.")


def test_a_family_has_its_help_its_type_and_a_line_for_each_sample():
    samples = [Sample("", {}, 3), Sample("_sum", {"a": "x", "b": "y"}, 0.25), Sample("", {"le": "+Inf"}, math.inf)]
    assert render([(COUNTER, samples)]).decode().splitlines() == [
        "# HELP things_total Things.",
        "# TYPE things_total counter",
        "things_total 3",
        'things_total_sum{a="x",b="y"} 0.25',
        'things_total{le="+Inf"} +Inf',
    ]


def test_labels_cannot_break_out_of_their_quotation_marks():
    text = render([(COUNTER, [Sample("", {"a": 'x"} 1\nevil\\'}, 1)])]).decode()
    assert text.splitlines()[-1] == 'things_total{a="x\\"} 1\\nevil\\\\"} 1'
