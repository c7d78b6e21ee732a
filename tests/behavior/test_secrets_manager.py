"""Against moto's Secrets Manager: what its own protocol carries arrives in the command's environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import PLAIN, Ended, Entrypoint
from tests.harness.secrets_api import REGION, SecretsApi

if TYPE_CHECKING:
    from tests.harness.http_server import Request

ENVIRON = ("cat", "/proc/self/environ")
ELSEWHERE = "ap-northeast-1"
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
ALL_CHARACTERS = "".join(map(chr, [*range(1, 0x250), 0x2028, 0xFFFD, 0x1F600]))
LARGE = "é" * 32_000  # a secret holds 65,536 bytes


class Run:
    """One start with a secret of each kind, and what moto received."""

    def __init__(self, entrypoint: Entrypoint, api: SecretsApi, transport: str) -> None:
        name = f"run/{transport}"
        self.arn = api.create_secret(f"{name}/arn", '{"BY_ARN": "1"}', region=ELSEWHERE)
        api.create_secret(f"{name}/name", '{"BY_NAME": "2"}')
        api.create_secret(f"{name}/binary", b'{"BINARY": "\xc3\xa9"}')
        api.create_secret(f"{name}/characters", json.dumps({"CHARACTERS": ALL_CHARACTERS}))
        api.create_secret(f"{name}/large", json.dumps({"LARGE": LARGE}, ensure_ascii=False))
        references = {"SECRETS_MANAGER_ARN": self.arn} | {
            PREFIX + kind.upper(): f"{name}/{kind}" for kind in ("name", "binary", "characters", "large")
        }
        environ = api.environ(**PLAIN, **references, LAMBDA_ENV_TRANSPORT=transport)
        before = len(api.requests)
        self.ended: Ended = entrypoint(*ENVIRON, environ=environ)
        self.requests: list[Request] = api.requests[before:]


@pytest.fixture(scope="module")
def started(entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str) -> Run:
    """The start over either transport."""
    return Run(entrypoint, secrets_api, transport)


def test_standard_error_stays_empty(started: Run) -> None:
    assert (started.ended.code, started.ended.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("BY_ARN", "1"), ("BY_NAME", "2"), ("BINARY", "é"), ("CHARACTERS", ALL_CHARACTERS), ("LARGE", LARGE)],
)
def test_a_secret_arrives(started: Run, name: str, value: str) -> None:
    assert started.ended.environ[name] == value


def test_each_secret_is_requested_once_in_its_region(started: Run) -> None:
    asked = {request.json["SecretId"]: request.region for request in started.requests}

    assert (len(started.requests), asked.pop(started.arn)) == (5, ELSEWHERE)
    assert set(asked.values()) == {REGION}


def test_only_get_secret_value_is_called_under_our_name(started: Run) -> None:
    assert {request.operation for request in started.requests} == {"GetSecretValue"}
    assert [
        request for request in started.requests if "run-lambda-entrypoint/" not in request.headers["user-agent"]
    ] == []


def test_a_secret_that_does_not_exist_is_reported_in_aws_own_words(
    entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str
) -> None:
    references = {"SECRETS_MANAGER_ARN": "not/there", "LAMBDA_ENV_TRANSPORT": transport}
    ended = entrypoint("true", environ=secrets_api.environ(**PLAIN, **references))

    assert (ended.code, ended.out) == (125, b"")
    assert ended.err == (
        "run-lambda-entrypoint: SECRETS_MANAGER_ARN: secret not/there: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret; looked in Region eu-central-1, in the caller's account; "
        "check name, Region and account\n"
    )
