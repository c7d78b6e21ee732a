"""Lines on standard error that no run of the archive makes."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import INVALID_SECRET, EntrypointError
from run_lambda_entrypoint.log import Log

if TYPE_CHECKING:
    import pytest


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_in_json_any_message_is_one_line(capfd: pytest.CaptureFixture[str], message: str) -> None:
    Log(0.0, as_json=True).failure([EntrypointError(INVALID_SECRET, message)])
    (line,) = capfd.readouterr().err.split("\n")[:-1]
    assert json.loads(line)["message"] == message


def test_a_lone_surrogate_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    Log(0.0).warnings(["\udc80"])
    assert capfd.readouterr().err == "run-lambda-entrypoint: warning: \\udc80\n"


def test_without_standard_error_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    Log(0.0, "debug").debug("step")


def test_with_nobody_left_to_read_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as broken:
        monkeypatch.setattr(sys, "stderr", broken)
        Log(0.0, "debug").debug("step")
