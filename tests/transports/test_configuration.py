"""Mistakes in the AWS configuration: reported as such, before any request that needs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import Entrypoint, aws, end
from tests.harness.http_server import Reply, Request, by_length, http_server, listening, secret
from tests.transports.runs import run

if TYPE_CHECKING:
    import socket
    from pathlib import Path

MARKER = "m4rk3r"
"""Stands where a part of a key might."""

NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
KEYS = {"AccessKeyId": "AKIDGIVEN", "SecretAccessKey": "key", "Token": "token", "Expiration": "2999-01-01T00:00:00Z"}


def outcome(entrypoint: Entrypoint, transport: str, more: dict[str, Any]) -> tuple[int, str, int]:
    """The exit code, the report on the secret, and how many requests came to a well-behaved Secrets Manager."""
    with http_server(lambda _: secret("{}")) as server:
        ended = run(entrypoint, transport, server.url, **more)
        requests = len(server.requests)
    report = ended.err.removeprefix("run-lambda-entrypoint: ").rstrip("\n")
    return ended.code, report.rpartition("secret name: ")[2], requests


INVALID = "contains a space, a line break or another character that is not valid in credentials; copy it again"


def unusable(kind: str) -> str:
    return f"cannot use the configuration of the AWS credentials ({kind}); check the AWS_* variables and the profile"


# -- Variables


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]
)
def test_a_line_break_after_a_credential_is_outcome(entrypoint: Entrypoint, transport: str, name: str) -> None:
    actual = outcome(entrypoint, transport, {name: f"{MARKER}\n"})
    assert actual == (125, f"{name} {INVALID}", 0)


@pytest.mark.parametrize(
    "value", [f"{MARKER}\r\nX-Evil: 1", f"{MARKER}\udcff", f"{MARKER}é", f" {MARKER}", f"{MARKER}\x7f"]
)
def test_an_invalid_character_is_reported_without_the_value(entrypoint: Entrypoint, value: str) -> None:
    _, report, requests = outcome(entrypoint, "direct", {"AWS_SESSION_TOKEN": value})
    assert (f"AWS_SESSION_TOKEN {INVALID}" in report, MARKER in report, requests) == (True, False, 0)


@pytest.mark.parametrize("region", ["eu west", "eu-west-1\n", "eu-west-1/", "eu-west-é", "-"])
def test_what_is_no_region_is_outcome(entrypoint: Entrypoint, transport: str, region: str) -> None:
    actual = outcome(entrypoint, transport, {"AWS_REGION": region})
    assert actual == (125, f"AWS_REGION, or AWS_DEFAULT_REGION, is {region!a}, which is not a valid Region", 0)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"AWS_CREDENTIAL_EXPIRATION": "tomorrow"}, unusable("ParserError")),
        ({"AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"}, unusable("RuntimeError")),
        ({**NO_KEYS, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"}, unusable("ValueError")),
        (
            {
                **NO_KEYS,
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent",
            },
            "AWS configuration: /nonexistent: No such file or directory; fix the setting that names it",
        ),
        (
            {
                **NO_KEYS,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent",
            },
            "AWS configuration: /nonexistent: No such file or directory; fix the setting that names it",
        ),
    ],
    ids=["expiration", "expired", "container's host", "web identity", "container's token"],
)
def test_a_variable_that_is_unusable_is_outcome(entrypoint: Entrypoint, more: dict[str, str], expected: str) -> None:
    assert outcome(entrypoint, "botocore", more) == (125, expected, 0)


# -- Files and programs


def configured(folder: Path, text: str) -> dict[str, str]:
    (folder / "config").write_text(text)
    return {**NO_KEYS, "AWS_CONFIG_FILE": str(folder / "config")}


def test_a_configuration_that_cannot_be_parsed_is_named_and_not_quoted(entrypoint: Entrypoint, tmp_path: Path) -> None:
    more = configured(tmp_path, f"aws_secret_access_key = {MARKER}\n")
    assert outcome(entrypoint, "botocore", more) == (125, f"AWS configuration: cannot parse {tmp_path}/config", 0)


def test_a_credential_process_that_does_not_exist_is_outcome(entrypoint: Entrypoint, tmp_path: Path) -> None:
    more = configured(tmp_path, "[default]\ncredential_process = /nonexistent --flag\n")
    assert outcome(entrypoint, "botocore", more) == (
        125,
        "AWS configuration: /nonexistent: No such file or directory; fix the setting that names it",
        0,
    )


def test_the_output_of_a_credential_process_is_not_shown(entrypoint: Entrypoint, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho {MARKER}; echo {MARKER} >&2; exit 3\n")
    program.chmod(0o755)
    more = configured(tmp_path, f"[default]\ncredential_process = {program}\n")
    assert outcome(entrypoint, "botocore", more) == (125, "AWS configuration: credential_process failed", 0)


def test_a_credential_process_that_prints_no_json_is_reported_without_its_output(
    entrypoint: Entrypoint, tmp_path: Path
) -> None:
    more = configured(tmp_path, f"[default]\ncredential_process = /bin/echo {MARKER}\n")
    assert outcome(entrypoint, "botocore", more) == (125, unusable("JSONDecodeError"), 0)


# -- The container's credentials


def keys(request: Request) -> Reply:
    """The container's credentials, and Secrets Manager."""
    return by_length(json.dumps(KEYS).encode()) if request.method == "GET" else secret('{"A": "1"}')


def test_a_source_of_credentials_that_refuses_is_named_and_retried(entrypoint: Entrypoint) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = aws(url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_LOG_LEVEL="debug", **NO_KEYS)
    environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{url}/container"
    with entrypoint.started("printenv", "A", environ=environ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if b"attempt 1 failed" in line).decode()
        with http_server(keys, port):
            ended = end(process)

    assert ended[:2] == (0, b"1\n"), ended.err
    assert ("credentials from container-role" in line, f"{url}/container" in line) == (True, True), line


def test_a_source_of_credentials_is_asked_once_in_an_attempt(entrypoint: Entrypoint) -> None:
    """One retry loop, ours: botocore's own would pause a second between two of three attempts."""
    asked = []

    def cut(connection: socket.socket) -> None:
        asked.append(connection.recv(1))

    with listening(cut) as port:
        environ = aws("http://127.0.0.1:9", {"SECRETS_MANAGER_ARN": "name"}, **NO_KEYS)
        environ |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{port}/x", "LAMBDA_ENV_LOG_LEVEL": "debug"}
        with entrypoint.started("true", environ=environ) as process:
            assert process.stderr is not None
            next(line for line in process.stderr if b"attempt 1 failed" in line)
            before = len(asked)
            process.kill()
            process.wait()
    assert before == 1
