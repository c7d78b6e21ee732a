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
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        ended = run(entrypoint, transport, server.url, **more)
        requests = len(server.requests)
    report = ended.err.removeprefix("run-lambda-entrypoint: ").rstrip("\n")
    return ended.code, report.rpartition("secret name: ")[2], requests


# -- Variables

INVALID = "contains a space, a line break or another character that is not valid in credentials; copy it again"


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]
)
def test_a_line_break_after_a_credential_is_reported(entrypoint: Entrypoint, transport: str, name: str) -> None:
    assert outcome(entrypoint, transport, {name: f"{MARKER}\n"}) == (125, f"{name} {INVALID}", 0)


@pytest.mark.parametrize(
    "value", [f"{MARKER}\r\nX-Evil: 1", f"{MARKER}\udcff", f"{MARKER}é", f" {MARKER}", f"{MARKER}\x7f"]
)
def test_an_invalid_character_is_reported_without_the_value(entrypoint: Entrypoint, value: str) -> None:
    actual = outcome(entrypoint, "direct", {"AWS_SESSION_TOKEN": value})
    assert actual == (125, f"AWS_SESSION_TOKEN {INVALID}", 0)


@pytest.mark.parametrize("region", ["eu west", "eu-west-1\n", "eu-west-1/", "eu-west-é", "-"])
def test_an_invalid_region_is_reported(entrypoint: Entrypoint, transport: str, region: str) -> None:
    report = f"AWS_REGION, or AWS_DEFAULT_REGION, is {region!a}, which is not a valid Region"
    assert outcome(entrypoint, transport, {"AWS_REGION": region}) == (125, report, 0)


# -- What only botocore reads

NOT_VALID = (
    "AWS configuration: AWS_CONTAINER_CREDENTIALS_FULL_URI, credential_process: one of these is not valid; expected an "
    "HTTP or HTTPS URL of this machine or of a container service, a path that starts with /, a token without line "
    "breaks, and a command line whose quotes are closed"
)
UNUSABLE = "AWS configuration: botocore raised {}; check the AWS_* variables and the profile"
MISSING = "{}=/nonexistent cannot be read (No such file or directory); correct the path"
ROLE = "arn:aws:iam::123456789012:role/x"
CONTAINER, AUTHORIZATION = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
IDENTITY = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent"}
INVALID_URL = (
    "AWS configuration: a URL (of the endpoint, a proxy, or the source of the credentials) or a token is not valid"
)
REPORTS: dict[str, tuple[dict[str, str], str]] = {
    "expiration": ({"AWS_CREDENTIAL_EXPIRATION": "tomorrow"}, UNUSABLE.format("ParserError")),
    "expired": ({"AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"}, UNUSABLE.format("RuntimeError")),
    "container's host": ({**NO_KEYS, CONTAINER: "http://example.com/x"}, NOT_VALID),
    "container's token": (
        {**NO_KEYS, CONTAINER: "http://127.0.0.1:9/x", AUTHORIZATION: "/nonexistent"},
        MISSING.format(AUTHORIZATION),
    ),
    "container's token's characters": (
        {**NO_KEYS, CONTAINER: "http://127.0.0.1:9/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": f"{MARKER}\u20ac"},
        INVALID_URL,
    ),
    "proxy": ({"http_proxy": "http://[x"}, INVALID_URL),
    "endpoint": ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": f"ftp://{MARKER}@h.example"}, INVALID_URL),
    "web identity": ({**NO_KEYS, **IDENTITY}, MISSING.format("AWS_WEB_IDENTITY_TOKEN_FILE")),
}


@pytest.mark.parametrize("case", REPORTS)
def test_an_unusable_variable_is_reported(entrypoint: Entrypoint, case: str) -> None:
    variables, report = REPORTS[case]
    assert outcome(entrypoint, "botocore", variables) == (125, report, 0)


PROCESS = "[default]\ncredential_process ="
OF_PROCESS = "AWS configuration: credential_process"


@pytest.mark.parametrize(
    ("text", "report"),
    [
        (f"aws_secret_access_key = {MARKER}\n", "AWS configuration: cannot parse {}"),
        (
            f"{PROCESS} /nonexistent --flag\n",
            f"{OF_PROCESS} could not be started (No such file or directory); check its path",
        ),
        (
            f"{PROCESS} /bin/sh -c 'echo {MARKER}; echo {MARKER} >&2; exit 3'\n",
            f"{OF_PROCESS} ended with exit status 3; run it in the image to see why",
        ),
        (f"{PROCESS}\n", f"{OF_PROCESS} is empty; set it to a program, or remove it"),
        (f"{PROCESS} /bin/echo {MARKER}\n", f"{OF_PROCESS} did not print valid credentials"),
    ],
    ids=["not parsed", "missing process", "failed process", "no process", "output not JSON"],
)
def test_an_unusable_file_is_reported_without_its_text_or_the_output_of_its_process(
    entrypoint: Entrypoint, tmp_path: Path, text: str, report: str
) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    actual = outcome(entrypoint, "botocore", {**NO_KEYS, "AWS_CONFIG_FILE": str(file)})
    assert actual == (125, report.format(file), 0)


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
    refused = f"could not connect to 127.0.0.1:{port} (source of the credentials): Connection refused"
    assert line.partition("attempt 1 failed: ")[2].partition("; retrying")[0] == refused


def test_a_source_of_credentials_is_requested_once_in_an_attempt(entrypoint: Entrypoint) -> None:
    """One retry loop, ours: botocore's own would pause a second between two of three attempts."""
    requests = []

    def truncate(connection: socket.socket) -> None:
        requests.append(connection.recv(1))

    with listening(truncate) as port:
        environ = aws("http://127.0.0.1:9", {"SECRETS_MANAGER_ARN": "name"}, **NO_KEYS)
        environ |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{port}/x", "LAMBDA_ENV_LOG_LEVEL": "debug"}
        with entrypoint.started("true", environ=environ) as process:
            assert process.stderr is not None
            next(line for line in process.stderr if b"attempt 1 failed" in line)
            before = len(requests)
            process.kill()
            process.wait()
    assert before == 1
