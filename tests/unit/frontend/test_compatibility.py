from __future__ import annotations

from ingle.frontend.compatibility import operations_table
from ingle.wire import Service


def test_every_operation_has_a_line():
    table = operations_table({("lambda", "Invoke")})
    for service in ("lambda", "logs"):
        for name in Service.load(service).operation_names:
            state = "works" if (service, name) == ("lambda", "Invoke") else "not implemented"
            assert f"| {name} | {state} |" in table
    assert "1 of 91 operations work." in table
