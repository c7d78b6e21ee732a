"""Against moto's Secrets Manager: whole secrets, keys, versions and single values, in the notation of ECS."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.harness.entrypoint import PLAIN, Ended, Entrypoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.harness.http_server import Request
    from tests.harness.secrets_api import SecretsApi

ENVIRON = ("cat", "/proc/self/environ")
ELSEWHERE = "ap-northeast-1"
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE = "LAMBDA_ENV_VALUE_FROM_"
WHOLE = '{ "password" : "current", "user.name": "literal",  "user": {"name": "nested", "age": 1.50} }'
PLAIN_TEXT = "no JSON: {\n\ttoken=é"
ALL_CHARACTERS = "".join(map(chr, [*range(1, 0x250), 0x2028, 0xFFFD, 0x1F600]))
LARGE = "é" * 32_000  # a secret holds 65,536 bytes
UNKNOWN = "11111111-2222-3333-4444-555555555555"


class Run:
    """One start, and what moto received."""

    def __init__(self, entrypoint: Entrypoint, api: SecretsApi, environ: Mapping[str, str]) -> None:
        before = len(api.requests)
        self.ended: Ended = entrypoint(*ENVIRON, environ=api.environ(**PLAIN, **environ))
        self.requests: list[Request] = api.requests[before:]


class Versions(NamedTuple):
    """A secret with a version for each stage, and the versions' ids."""

    name: str
    arn: str
    previous: str
    blue: str


@pytest.fixture(scope="module")
def versions(secrets_api: SecretsApi, transport: str) -> Versions:
    """A secret of this transport's own."""
    name = f"versions/{transport}"
    arn = secrets_api.create_secret(name, "{}")
    previous = secrets_api.put_secret_value(name, '{"password": "previous", "OLD": "1"}', "AWSCURRENT")
    blue = secrets_api.put_secret_value(name, '{"password": "blue", "B1": "1", "B2": "2"}', "BLUE")
    secrets_api.put_secret_value(name, WHOLE, "AWSCURRENT")
    return Versions(name, arn, previous, blue)


@pytest.fixture(scope="module")
def run(entrypoint: Entrypoint, secrets_api: SecretsApi, versions: Versions, transport: str) -> Run:
    """One start with a reference of each form."""
    name, arn, previous, blue = versions
    elsewhere = secrets_api.create_secret(f"plain/{transport}", PLAIN_TEXT, region=ELSEWHERE)
    secrets_api.create_secret(f"binary/{transport}", "bytes: é".encode())
    secrets_api.create_secret(f"whole/{transport}", b'{"OBJECT_IN_BYTES": "\xc3\xa9"}')
    secrets_api.create_secret(f"characters/{transport}", json.dumps({"CHARACTERS": ALL_CHARACTERS}))
    secrets_api.create_secret(f"large/{transport}", json.dumps({"LARGE": LARGE}, ensure_ascii=False))
    return Run(
        entrypoint,
        secrets_api,
        {
            "LAMBDA_ENV_TRANSPORT": transport,
            "SECRETS_MANAGER_ARN": f"{name}:password::",
            f"{PREFIX}LITERAL": f"{arn}:user.name",
            f"{PREFIX}PREVIOUS": f"{name}:OLD:AWSPREVIOUS:",
            f"{PREFIX}STAGE": f"{arn}::BLUE:",
            **{f"{PREFIX}{kind.upper()}": f"{kind}/{transport}" for kind in ("whole", "characters", "large")},
            f"{VALUE}KEY": f"{name}:password::",
            f"{VALUE}KEY_SHORT": f"{name}:password",
            f"{VALUE}BY_STAGE": f"{arn}:password:BLUE:",
            f"{VALUE}BY_ID": f"{arn}:password::{previous}",
            f"{VALUE}BY_BOTH": f"{arn}:password:BLUE:{blue}",
            f"{VALUE}LITERAL": f"{arn}:user.name::",
            f"{VALUE}PARTIAL_ARN": f"{arn[:-7]}:user.name",
            f"{VALUE}NESTED": f"{arn}:user.age::",
            f"{VALUE}OBJECT": f"{arn}:user::",
            f"{VALUE}WHOLE": name,
            f"{VALUE}WHOLE_PREVIOUS": f"{name}::AWSPREVIOUS",
            f"{VALUE}PLAIN": elsewhere,
            f"{VALUE}BINARY": f"binary/{transport}",
        },
    )


def test_standard_error_stays_empty(run: Run) -> None:
    assert (run.ended.code, run.ended.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("password", "blue"), ("user.name", "literal"), ("OLD", "1"), ("B1", "1"), ("B2", "2")),
        *(("KEY", "current"), ("KEY_SHORT", "current")),
        *(("BY_STAGE", "blue"), ("BY_ID", "previous"), ("BY_BOTH", "blue")),
        *(
            ("LITERAL", "literal"),
            ("PARTIAL_ARN", "literal"),
            ("NESTED", "1.50"),
            ("OBJECT", '{"name":"nested","age":1.50}'),
            ("WHOLE", WHOLE),
        ),
        ("WHOLE_PREVIOUS", '{"password": "previous", "OLD": "1"}'),
        *(("PLAIN", PLAIN_TEXT), ("BINARY", "bytes: é"), ("OBJECT_IN_BYTES", "é")),
        *(("CHARACTERS", ALL_CHARACTERS), ("LARGE", LARGE)),
    ],
)
def test_a_value_arrives(run: Run, name: str, value: str) -> None:
    assert run.ended.environ[name] == value


@pytest.mark.parametrize("name", ["user", "token"])
def test_a_key_loads_just_that_key(run: Run, name: str) -> None:
    assert name not in run.ended.environ


def test_each_version_of_a_secret_is_requested_once(run: Run, versions: Versions, transport: str) -> None:
    name, arn, previous, blue = versions
    [elsewhere] = [request.json["SecretId"] for request in run.requests if request.region == ELSEWHERE]
    requested = Counter(
        tuple(request.json.get(part, "") for part in ("SecretId", "VersionStage", "VersionId"))
        for request in run.requests
    )
    expected = [
        *((name, "", ""), (name, "AWSPREVIOUS", ""), (elsewhere, "", ""), (f"binary/{transport}", "", "")),
        *((arn, "", ""), (arn[:-7], "", ""), (arn, "BLUE", ""), (arn, "", previous), (arn, "BLUE", blue)),
        *((f"{kind}/{transport}", "", "") for kind in ("whole", "characters", "large")),
    ]
    assert requested == Counter(expected)
    assert {request.operation for request in run.requests} == {"GetSecretValue"}


LACKING = 'key "{}" not found or null'
KEYS = 'the secret\'s keys are: "password", "null", "nested"'
NO_VALUE = "ResourceNotFoundException: Secrets Manager can't find the specified secret value for "
FAULTS = {
    # The end of a reference, and the report after the secret.
    ":missing": (f"{LACKING.format('missing')}; {KEYS}", "Function.InvalidSecret"),
    ":null::": (f"{LACKING.format('null')}; {KEYS}", "Function.InvalidSecret"),
    ":nested.word": (
        f'{LACKING.format("nested.word")}; the keys of "nested" are: "words"; did you mean "nested.words"?',
        "Function.InvalidSecret",
    ),
    ":password.x": (f'{LACKING.format("password.x")}; "password" is a string, not an object', "Function.InvalidSecret"),
    f":::{UNKNOWN}": (f"{NO_VALUE}VersionId: {UNKNOWN}; the secret exists but has no", "Function.SecretNotFound"),
    f"::BLUE:{UNKNOWN}": (f"{NO_VALUE}VersionId: {UNKNOWN}; the secret exists but has no", "Function.SecretNotFound"),
    "::NOSUCHSTAGE": ("ResourceNotFoundException: ", "Function.SecretNotFound"),
}


@pytest.fixture(scope="module")
def faults(entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str) -> Ended:
    """One start with a reference for each fault."""
    name = f"faults/{transport}"
    secrets_api.create_secret(name, '{"password": "hunter2", "null": null, "nested": {"words": "hunter2"}}')
    references = {f"{VALUE}V{index}": f"{name}{rest}" for index, rest in enumerate(FAULTS)}
    environ = {"LAMBDA_ENV_TRANSPORT": transport, **references, "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    return Run(entrypoint, secrets_api, environ).ended


@pytest.mark.parametrize(("index", "rest"), list(enumerate(FAULTS)))
def test_what_a_secret_lacks_is_reported(faults: Ended, index: int, rest: str) -> None:
    line = json.loads(faults.err.splitlines()[index])
    message, error_type = FAULTS[rest]
    assert (faults.code, len(faults.err.splitlines())) == (125, len(FAULTS))
    assert (line["reference"], line["errorType"]) == (f"{VALUE}V{index}", error_type)
    assert f": {message}" in line["message"]


def test_no_value_of_a_secret_that_lacks_something_is_shown(faults: Ended) -> None:
    assert "hunter2" not in faults.err


def command(name: str, secret: str) -> str:
    return f"aws secretsmanager {name} --region eu-central-1 --secret-id {secret}"


def test_what_is_wrong_with_a_secret_itself_is_reported_with_the_command_against_it(
    entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str
) -> None:
    name = f"odd/{transport}"
    secrets_api.create_secret(f"{name}/empty", None)
    secrets_api.create_secret(f"{name}/deleted", "{}")
    secrets_api.delete_secret(f"{name}/deleted")
    secrets_api.create_secret(name, "{}")
    version = secrets_api.put_secret_value(name, "{}", "AWSCURRENT")
    references = {f"{VALUE}A": f"{name}/empty", f"{VALUE}B": f"{name}/deleted", f"{VALUE}C": f"{name}::BLUE:{version}"}
    ended = Run(entrypoint, secrets_api, {**references, "LAMBDA_ENV_TRANSPORT": transport}).ended

    hints = [
        f"has no value; store one: {command('put-secret-value', f'{name}/empty')} --secret-string file://FILE",
        f"restore it: {command('restore-secret', f'{name}/deleted')}",
        f"no version with this STAGE and VERSION; list those it has: {command('list-secret-version-ids', name)}",
    ]
    lines = ended.err.splitlines()
    assert (ended.code, [line.endswith(hint) for line, hint in zip(lines, hints, strict=True)]) == (125, [True] * 3)


def test_a_secret_that_does_not_exist_is_reported_in_aws_own_words(
    entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str
) -> None:
    ended = Run(entrypoint, secrets_api, {"SECRETS_MANAGER_ARN": "not/there", "LAMBDA_ENV_TRANSPORT": transport}).ended

    hint = "looked in Region eu-central-1, in the caller's account; check name, Region and account"
    message = f"ResourceNotFoundException: Secrets Manager can't find the specified secret; {hint}"
    assert ended == (125, b"", f"run-lambda-entrypoint: SECRETS_MANAGER_ARN: secret not/there: {message}\n")
