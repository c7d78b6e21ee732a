"""From a secret's text to variables, or to a refusal: a case of each kind; tests/unit/test_json_object.py has all."""

import json

import pytest

from tests.harness.entrypoint import KEY_ID, Ended, Entrypoint, aws
from tests.harness.http_server import Server, http_server, secret, secrets

ENVIRON = ("cat", "/proc/self/environ")
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
MARKER = "hunter2-ZXQJ"

VALUES = [
    *(('"text"', "text"), ('""', ""), ('" padded\\n"', " padded\n"), ('"a=b=c"', "a=b=c")),
    ('"caf\\u00e9 \\ud83d\\ude00 é"', "café 😀 é"),
    ('"$HOME `id` \\"quoted\\" \\\\"', '$HOME `id` "quoted" \\'),
    *((number, number) for number in ("1.50", "1e400", "-0", "1E+2", "123456789012345678901234567890")),
    *((text, text) for text in ("true", "false", "{}", "[]")),
    ('{"z": 1e400, "a": {"b": [ ]}, "c": [1.50, "é", null]}', '{"z":1e400,"a":{"b":[]},"c":[1.50,"é",null]}'),
]


@pytest.fixture(scope="module")
def loaded(entrypoint: Entrypoint) -> Ended:
    """A function whose one secret holds every kind of value."""
    keys = [f'"V{index}": {text}' for index, (text, _) in enumerate(VALUES)]
    rest = ['"KEPT": null', '"NEW": null', '"TWICE": 1', '"TWICE": "last"', '"k é.y-": "odd"']
    with http_server(lambda _: secret("{" + ",\n".join(keys + rest) + "}")) as server:
        return entrypoint(*ENVIRON, environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, KEPT="own"))


@pytest.mark.parametrize("index", range(len(VALUES)), ids=[text for text, _ in VALUES])
def test_a_value_becomes_the_text_of_its_variable(loaded: Ended, index: int) -> None:
    assert loaded.environ[f"V{index}"] == VALUES[index][1]


def test_null_is_left_out_a_later_key_counts_and_any_name_is_set(loaded: Ended) -> None:
    actual = [loaded.environ.get(name) for name in ("KEPT", "NEW", "TWICE", "k é.y-")]
    assert (loaded.code, loaded.err, actual) == (0, "", ["own", None, "last", "odd"])


# Longest "name=value" and its NUL that Linux takes: MAX_ARG_STRLEN, 32 pages of 4 KiB.
LONGEST = "x" * (131_072 - len("LONG=\0"))


def test_an_entry_as_long_as_linux_allows_is_passed_on(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret(json.dumps({"LONG": LONGEST}))) as server:
        ended = entrypoint(*ENVIRON, environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}))

    assert (ended.code, ended.err) == (0, "")
    assert ended.environ["LONG"] == LONGEST


IDENTITY = {
    "AWS_ACCESS_KEY_ID": "AKIDSECRET",
    "AWS_SECRET_ACCESS_KEY": MARKER,
    "AWS_SESSION_TOKEN": MARKER,
    "AWS_SECURITY_TOKEN": MARKER,  # the old name
    "AWS_REGION": "ca-central-1",
    "AWS_DEFAULT_REGION": "ca-central-1",
}


@pytest.fixture(scope="module")
def identity(entrypoint: Entrypoint) -> tuple[Ended, Server]:
    """A function one of whose secrets holds AWS credentials and regions."""
    texts = {"a": json.dumps(IDENTITY), "b": "{}"}
    with http_server(secrets(texts)) as server:
        references = {"SECRETS_MANAGER_ARN": "a", f"{PREFIX}B": "b"}
        return entrypoint(*ENVIRON, environ=aws(server.url, references)), server


@pytest.mark.parametrize("name", IDENTITY)
def test_aws_credentials_and_regions_in_a_secret_are_loaded(identity: tuple[Ended, Server], name: str) -> None:
    assert identity[0].environ[name] == IDENTITY[name]


def test_each_of_them_is_a_warning_that_names_it_and_no_value(identity: tuple[Ended, Server]) -> None:
    beginning = "run-lambda-entrypoint: warning: secret a (SECRETS_MANAGER_ARN) sets"
    end = "the function uses it, run-lambda-entrypoint does not"
    assert sorted(identity[0].err.splitlines()) == sorted(f"{beginning} {name}; {end}" for name in IDENTITY)
    assert [value for value in IDENTITY.values() if value in identity[0].err] == []


def test_they_are_never_used_by_us(identity: tuple[Ended, Server]) -> None:
    requests = identity[1].requests

    assert [(request.region, f"={KEY_ID}/" in request.headers["authorization"]) for request in requests] == [
        ("eu-west-1", True)
    ] * 2
