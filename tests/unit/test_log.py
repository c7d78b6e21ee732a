"""Lines on standard error that no run of the archive makes."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import run_lambda_entrypoint
from run_lambda_entrypoint.environment import Origin
from run_lambda_entrypoint.errors import FAILED, INVALID_SECRET, EntrypointError
from run_lambda_entrypoint.log import Log
from run_lambda_entrypoint.references import Reference
from run_lambda_entrypoint.text import escaped
from run_lambda_entrypoint.variables import Value

HOSTILE = 'two\r\nlines \x1b[31mred \x7f \x9b \u2028 \u202e \udc80 "quoted" back\\slash é'
ESCAPED = escaped(HOSTILE)


class AnyError(EntrypointError):
    """Stands for any class of errors that is yet to come."""


def errors_with(text: str) -> list[EntrypointError]:
    """An error of every class, with `text` wherever an error of its class takes one."""
    classes = [EntrypointError]
    for each in classes:
        classes += each.__subclasses__()
    found = []
    for each in dict.fromkeys(classes):
        fields = list(inspect.signature(each).parameters.values())
        kinds: dict[str, Any] = {"kind": FAILED, "errors": [EntrypointError(FAILED, text)], "retryable": False}
        found.append(each(**{field.name: kinds.get(field.name, text) for field in fields}))
    return found


@pytest.mark.parametrize("error", errors_with(HOSTILE), ids=lambda error: type(error).__name__)
def test_any_error_is_one_line(error: EntrypointError) -> None:
    lines = [str(error), *map(str, error.reports())]
    assert [(line.isprintable(), ESCAPED in line) for line in lines] == [(True, True)] * len(lines)


ORIGIN = Origin(Reference(HOSTILE, HOSTILE, HOSTILE), Value(HOSTILE, HOSTILE, HOSTILE, HOSTILE), HOSTILE)
ARGUMENTS: dict[str, object] = {
    "message": HOSTILE,
    "messages": [HOSTILE, HOSTILE],
    "notes": [("info", HOSTILE)],
    "origins": {HOSTILE: ORIGIN},
    "variables": 1,
    "sources": [{"kind": HOSTILE, "source": HOSTILE, "version": HOSTILE, "region": HOSTILE}],
    "reports": [EntrypointError(FAILED, HOSTILE, reference=HOSTILE, source=HOSTILE)],
}


def texts(value: object) -> list[str]:
    """All texts in a JSON value."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [str(value)]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("name", [name for name, _ in inspect.getmembers(Log, callable) if name[0] != "_"])
def test_whatever_is_logged_is_lines_without_control_characters(
    capfd: pytest.CaptureFixture[str], name: str, *, as_json: bool
) -> None:
    method = getattr(Log(0.0, "debug", as_json=as_json), name)
    method(*(ARGUMENTS[argument] for argument in inspect.signature(method).parameters))
    *lines, rest = capfd.readouterr().err.split("\n")
    # "messages" are two, of an origin there is also the reference.
    assert (len(lines), rest, {line.isprintable() for line in lines}) == (1 + (name == "warnings"), "", {True})
    shown = [" ".join(texts(json.loads(line))) for line in lines] if as_json else lines
    assert {ESCAPED[:20] in line for line in shown} == {True}


SOURCES = sorted(Path(run_lambda_entrypoint.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: "/".join(file.parts[-2:]))
def test_nothing_else_writes_to_standard_error(file: Path) -> None:
    """Whatever is written goes through Log, which the tests above are about."""
    writers = ("sys.stderr", "os.write(2", "posix.write(2", "print(", "logging", "warnings.warn", "traceback")
    calls = [ast.unparse(node) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    expected = {"log.py": ["posix.write(2"], "isolation.py": ["logging"]}  # which it disables
    actual = [writer for writer in writers if any(call.startswith(writer) for call in calls)]
    assert actual == expected.get(file.name, [])


SOURCE = {"kind": "secret", "source": "prod/app", "version": "v1", "region": "eu-west-1"}


def test_the_summary_has_counts_versions_and_milliseconds(capfd: pytest.CaptureFixture[str]) -> None:
    Log(time.monotonic(), "info").summary(2, [SOURCE, {**SOURCE, "version": "", "region": ""}])
    line = re.sub(r"[0-9.]+ ms", "N ms", capfd.readouterr().err)
    shown = "secret prod/app (version v1, eu-west-1); secret prod/app"
    assert line == f"run-lambda-entrypoint: info: loaded 2 variables in N ms: {shown}\n"


def test_the_summary_in_json_has_them_as_fields(capfd: pytest.CaptureFixture[str]) -> None:
    Log(time.monotonic(), "info", as_json=True).summary(1, [SOURCE])
    line = json.loads(capfd.readouterr().err)
    actual = line["variables"], line["sources"], line["message"] == f"loaded 1 variable in {line['milliseconds']} ms"
    assert actual == (1, [{name: text for name, text in SOURCE.items() if name != "kind"}], True)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_summary_for_which_a_line_has_no_room_is_several(capfd: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    sources = [{**SOURCE, "source": f"{number:03}/{'x' * 500}"} for number in range(30)]
    Log(time.monotonic(), "info", as_json=as_json).summary(30, sources)
    lines = capfd.readouterr().err.splitlines()
    found = [number for line in lines for number in re.findall(r"(\d\d\d)/xxx", line)]
    assert (max(map(len, lines)) < 4096, found) == (True, [f"{number:03}" for number in range(30)])


def test_one_thread_at_a_time_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that find room for one chunk in a pipe would both write, and one of them wait forever."""
    writing: list[int] = []
    most: list[int] = []

    def write(_: int, data: bytes) -> int:
        writing.append(1)
        most.append(len(writing))
        time.sleep(0.002)  # another thread's turn
        writing.pop()
        return len(data)

    monkeypatch.setattr("posix.write", write)
    log = Log(0.0, "debug")
    threads = [Thread(target=log.debug, args=["step"]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_in_json_any_message_is_one_line(capfd: pytest.CaptureFixture[str], message: str) -> None:
    Log(0.0, as_json=True).failure([EntrypointError(INVALID_SECRET, message)])
    (line,) = capfd.readouterr().err.split("\n")[:-1]
    assert json.loads(line)["message"] == escaped(message)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_signal_is_reported_without_an_import(*, as_json: bool) -> None:
    """A handler that imports can meet a module that is half imported."""
    code = f"""if True:
        import builtins, os, signal, time
        from run_lambda_entrypoint.__main__ import end_on_signals
        from run_lambda_entrypoint.log import Log
        end_on_signals(Log(0.0, as_json={as_json}))
        del builtins.__import__
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    """
    words = [sys.executable, "-c", code]
    ended = subprocess.run(words, env={"PYTHONPATH": str(SOURCES[0].parents[1])}, capture_output=True, text=True)
    assert (ended.returncode, "interrupted by SIGTERM" in ended.stderr, ended.stderr.count("\n")) == (143, True, 1)


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
