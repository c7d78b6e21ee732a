"""From a secret's text to variables, or to a refusal: a case of each kind; tests/unit/test_json_object.py has all."""

import json
from base64 import b64encode

import pytest

from tests.harness.entrypoint import KEY_ID, Ended, Entrypoint, aws
from tests.harness.http_server import Reply, Request, Server, by_length, http_server, secret

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

REFUSED = {
    # The text of the secret; the key that the report names, and a part of its reason.
    "NO_JSON": (f'{{"KEY": "{MARKER}"', "", "not valid JSON"),
    "NAN": (f'{{"KEY": NaN, "OTHER": "{MARKER}"}}', "", "not valid JSON"),
    "ARRAY": (f'["{MARKER}"]', "", "not an array"),
    "DEEP": ('{"KEY": ' + "[" * 100_000 + "]" * 100_000 + "}", "", "nested too deeply"),
    "EMPTY_KEY": (f'{{"": "{MARKER}"}}', "", "must not be empty"),
    "EQUALS_KEY": (f'{{"A=B": "{MARKER}"}}', "A=B", "'='"),
    "NUL_VALUE": (f'{{"KEY": "{MARKER}\\u0000"}}', "KEY", "NUL"),
    "SURROGATE": (f'{{"KEY": "{MARKER}\\ud800"}}', "KEY", "surrogate"),
    "LONG": (f'{{"LONG": "{LONGEST}x"}}', "LONG", "131,072"),
    "RESERVED": (f'{{"_HANDLER": "{MARKER}"}}', "_HANDLER", "reserve"),
    "BINARY": ("", "", "UTF-8"),
    "NOTHING": ("", "", "neither SecretString nor SecretBinary"),
}


def refused_reply(request: Request) -> Reply:
    name = request.json["SecretId"]
    if name == "BINARY":
        return by_length(json.dumps({"SecretBinary": b64encode(f"{MARKER}\xff".encode("latin-1")).decode()}).encode())
    if name == "NOTHING":
        return by_length(json.dumps({"Name": name, "Other": MARKER}).encode())
    return secret(REFUSED[name][0])


@pytest.fixture(scope="module")
def refused(entrypoint: Entrypoint) -> Ended:
    """A function with a bad secret of each kind."""
    with http_server(refused_reply) as server:
        return entrypoint("true", environ=aws(server.url, {PREFIX + name: name for name in REFUSED}))


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_secret_is_one_line_with_variable_secret_key_and_reason(refused: Ended, name: str) -> None:
    _, key, reason = REFUSED[name]
    start = f"run-lambda-entrypoint: {PREFIX}{name}: secret {name}: "
    lines = [line.removeprefix(start) for line in refused.err.splitlines() if line.startswith(start)]

    assert [key in line and reason in line for line in lines] == [True], lines


def test_all_refused_secrets_make_one_report_in_order_of_precedence(refused: Ended) -> None:
    assert [line.split(": ")[1] for line in refused.err.splitlines()] == sorted(PREFIX + name for name in REFUSED)


def test_a_refused_secret_ends_with_125_and_starts_nothing(refused: Ended) -> None:
    assert (refused.code, refused.out) == (125, b"")


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
    with http_server(lambda request: secret(texts[request.json["SecretId"]])) as server:
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
