"""What is told on standard error: which levels, as lines of text or of JSON, and never more than one line each."""

from __future__ import annotations

import json
import os
import re
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import DocumentError, InvalidReferenceError, UsageError
from run_lambda_entrypoint.log import LEVELS, Log

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = [InvalidReferenceError("VARIABLE", "is none"), UsageError("no é")]
MILLISECONDS = re.compile(r"[0-9]+\.[0-9] ms")


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """The lines on standard error so far, with N for milliseconds."""

    def lines() -> list[str]:
        return [MILLISECONDS.sub("N ms", line) for line in capfd.readouterr().err.splitlines()]

    return lines


def one_of_each(log: Log) -> None:
    log.debug("step")
    log.warnings(["odd"])
    log.failure(FAILURES)


ERRORS = ["run-lambda-entrypoint: VARIABLE is none", "run-lambda-entrypoint: no é"]
WARNING = "run-lambda-entrypoint: warning: odd"
DEBUG = "run-lambda-entrypoint: debug: N ms: step"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", [DEBUG, WARNING, *ERRORS]),
        ("info", [WARNING, *ERRORS]),
        ("warning", [WARNING, *ERRORS]),
        ("error", ERRORS),
    ],
)
def test_a_level_tells_itself_and_what_is_above(
    told: Callable[[], list[str]], level: str, expected: list[str]
) -> None:
    one_of_each(Log(monotonic(), level))
    assert told() == expected


def test_every_level_is_known_to_the_test_above() -> None:
    assert LEVELS == ("debug", "info", "warning", "error")


def fields(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_in_json_each_line_is_an_object_with_the_same_words(told: Callable[[], list[str]]) -> None:
    one_of_each(Log(monotonic(), "debug", as_json=True))
    actual = [(line["level"], line["message"]) for line in fields(told())]
    assert actual == [
        ("DEBUG", "N ms: step"),
        ("WARNING", "odd"),
        ("ERROR", "VARIABLE is none"),
        ("ERROR", "no é"),
    ]


def test_in_json_a_failure_has_its_type_and_what_it_is_about(told: Callable[[], list[str]]) -> None:
    Log(0.0, as_json=True).failure(FAILURES)
    about = [
        {name: line[name] for name in line if name not in ("level", "message")} for line in fields(told())
    ]
    actual = [line | {"timestamp": ""} for line in about]
    assert actual == [
        {"timestamp": "", "errorType": "Function.InvalidReference", "variable": "VARIABLE"},
        {"timestamp": "", "errorType": "Function.InvalidArguments"},
    ]


def test_in_json_a_line_has_the_time_of_day_in_utc(told: Callable[[], list[str]]) -> None:
    Log(0.0, as_json=True).warnings(["odd"])
    (line,) = fields(told())
    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z", line["timestamp"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_in_json_any_message_is_one_line_of_json(capfd: pytest.CaptureFixture[str], message: str) -> None:
    Log(0.0, as_json=True).failure([DocumentError(message)])
    (line,) = capfd.readouterr().err.split("\n")[:-1]
    assert json.loads(line)["message"] == message


def test_what_is_no_character_is_escaped(told: Callable[[], list[str]]) -> None:
    Log(0.0).warnings(["\udc80"])
    assert told() == [r"run-lambda-entrypoint: warning: \udc80"]


def test_without_standard_error_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    one_of_each(Log(0.0, "debug"))


def test_with_nobody_left_to_read_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as broken:
        monkeypatch.setattr(sys, "stderr", broken)
        one_of_each(Log(0.0, "debug"))
