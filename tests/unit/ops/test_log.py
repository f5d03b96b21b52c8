from __future__ import annotations

import json

import pytest

from ingle.observability import log


@pytest.fixture(autouse=True)
def _restore():
    yield
    log.configure("warning", "json")


def test_lines_are_json_and_hold_no_secrets(capsys):
    log.configure("info", "json")
    log.Logger("worker").info("started", environment_variables={"A": "b"}, secret_key="x", pid=3)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["component"], line["level"], line["pid"]) == ("started", "worker", "info", 3)
    assert line["environment_variables"] == line["secret_key"] == log.BLANK


def test_levels_below_the_wanted_one_are_not_written(capsys):
    log.configure("warning", "json")
    log.Logger("worker").info("quiet")
    assert capsys.readouterr().err == ""


def test_the_console_form_has_no_colour_off_a_terminal(capsys):
    log.configure("debug", "console")
    log.Logger("worker").debug("here", n=1)
    text = capsys.readouterr().err
    assert "here" in text
    assert "\x1b" not in text
