"""What a dry run prints, where standard output is no terminal: names, never values, never cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from run_lambda_entrypoint.dry_run import report
from run_lambda_entrypoint.environment import Origin, Value
from run_lambda_entrypoint.references import PARAMETER, SECRET, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKER = "correct-horse-battery-staple"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds-AbCdEf"
LONG = "arn:aws:secretsmanager:us-east-1:123456789012:secret:" + 512 * "x"
APP = Reference("SECRETS_MANAGER_ARN", SECRET, "app", None)
RDS = Reference("LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS", SECRET, ARN, "us-east-1")
ORIGINS = {
    "USER": Origin(APP, Value("é", "app", "version-1", "eu-west-1"), ""),
    "PASSWORD": Origin(RDS, Value(MARKER, ARN, "version-2", "us-east-1"), str(APP)),
}
COMMAND = ["/usr/bin/python3", "-m", "awslambdaric", "app.handler"]


def as_json(origins: dict[str, Origin], command: Sequence[str] = (), *, emulated: bool = False) -> Any:
    return json.loads(report("json", origins, command, emulated=emulated))


def test_json_tells_all_of_each_variable() -> None:
    actual = as_json(ORIGINS)["variables"]
    assert actual == [
        {
            "variable": "USER",
            "bytes": 2,
            "reference": "SECRETS_MANAGER_ARN",
            "from": "app",
            "version": "version-1",
            "region": "eu-west-1",
            "overrides": "",
        },
        {
            "variable": "PASSWORD",
            "bytes": len(MARKER),
            "reference": "LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS",
            "from": ARN,
            "version": "version-2",
            "region": "us-east-1",
            "overrides": "secret app (SECRETS_MANAGER_ARN)",
        },
    ]


@pytest.mark.parametrize(
    ("command", "emulated", "expected"),
    [
        (COMMAND, False, {"command": COMMAND, "emulated": False}),
        (["/rie", *COMMAND], True, {"command": ["/rie", *COMMAND], "emulated": True}),
        ([], False, {"command": [], "emulated": False}),
        ([], True, {"command": [], "emulated": False}),
    ],
)
def test_json_tells_the_command_and_how_it_would_be_started(
    command: list[str], emulated: bool, expected: dict[str, Any]
) -> None:
    actual = as_json({}, command, emulated=emulated)
    assert actual == {"variables": [], **expected}


def test_json_has_long_names_whole() -> None:
    name = "é" * 500
    origin = Origin(Reference(name, SECRET, LONG, None), Value("", LONG, "", ""), "")
    (row,) = as_json({name: origin})["variables"]
    actual = (row["variable"], row["reference"], row["from"])
    assert actual == (name, name, LONG)


def test_the_table_has_a_line_for_each_variable_and_the_command() -> None:
    actual = report("text", ORIGINS, [*COMMAND, "two words"], emulated=False).splitlines()
    over = "secret app (SECRETS_MANAGER_ARN)"
    second = "LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS"
    assert actual == [
        f"VARIABLE  BYTES  {'REFERENCE':34}  {'FROM':{len(ARN)}}  VERSION    REGION     OVERRIDES",
        f"USER      2      {'SECRETS_MANAGER_ARN':34}  {'app':{len(ARN)}}  version-1  eu-west-1",
        f"PASSWORD  28     {second}  {ARN}  version-2  us-east-1  {over}",
        "",
        "started directly: /usr/bin/python3 -m awslambdaric app.handler 'two words'",
    ]


@pytest.mark.parametrize(
    ("command", "emulated", "expected"),
    [
        ([], False, "no variable would be set"),
        ([], True, "no variable would be set"),
        (["true"], False, "no variable would be set\n\nstarted directly: true"),
        (
            ["/rie", "true"],
            True,
            "no variable would be set\n\nstarted in the Runtime Interface Emulator: /rie true",
        ),
    ],
)
def test_without_variables_there_is_no_table(command: list[str], emulated: bool, expected: str) -> None:
    actual = report("text", {}, command, emulated=emulated)
    assert actual == expected


def test_a_table_in_a_pipe_is_never_cut() -> None:
    name = "N" * 1000
    origin = Origin(Reference(name, SECRET, LONG, None), Value("", LONG, "", ""), f"secret {LONG} ({name})")
    argument = "x" * 100_000
    actual = report("text", {name: origin}, ["true", argument], emulated=False)
    assert [actual.count(text) for text in (name, LONG, argument, "…")] == [3, 2, 1, 0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_control_characters_are_told_escaped(form: str) -> None:
    name = "A\x1b[31m"
    origin = Origin(Reference(name, PARAMETER, "/a", None), Value("", "/a", "", ""), "")
    actual = report(form, {name: origin}, ["true", "\x1b"], emulated=False)
    assert "\x1b" not in actual


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_is_told(form: str) -> None:
    actual = report(form, ORIGINS, COMMAND, emulated=False)
    assert MARKER not in actual
