"""From a secret's text to variables, or to a refusal: a case of each kind; tests/unit/test_json_object.py has all."""

import json
from base64 import b64encode

import pytest

from tests.harness.entrypoint import KEY_ID, Ended, Entrypoint, aws
from tests.harness.http_server import Server, by_length, http_server, secret, secret_body, secrets

ENVIRON = ("cat", "/proc/self/environ")
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE = "LAMBDA_ENV_VALUE_FROM_"
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


BYTE_ORDER_MARK = "\ufeff"


@pytest.mark.parametrize("field", ["SecretString", "SecretBinary"])
def test_a_byte_order_mark_is_no_part_of_the_json_and_part_of_a_whole_text(
    entrypoint: Entrypoint, transport: str, field: str
) -> None:
    text = f'{BYTE_ORDER_MARK}{{"A": "1", "B": {{"C": "2"}}}}'
    content = b64encode(text.encode()).decode() if field == "SecretBinary" else text
    with http_server(lambda _: by_length(secret_body(**{field: content}))) as server:
        references = {"SECRETS_MANAGER_ARN": "name", f"{VALUE}ONE": "name:B.C", f"{VALUE}WHOLE": "name"}
        ended = entrypoint(*ENVIRON, environ=aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport))
    actual = [ended.environ.get(name) for name in ("A", "B", "ONE", "WHOLE")]
    assert (ended.code, ended.err, actual) == (0, "", ["1", '{"C":"2"}', "2", text])


STORE = 'store an object such as {"NAME": "value"}, or use LAMBDA_ENV_VALUE_FROM_NAME without a KEY for plain text'
NO_JSON = "the secret is not valid JSON (error at line 1, column "
MISTAKES = {
    # A case of each kind, with the marker in it: its text, and the end of its report.
    "plain": (MARKER, f"the secret is not valid JSON: it is plain text; {STORE}"),
    "number": ("12345", f"the secret must be a JSON object, not a number; {STORE}"),
    "line": (f'{{"A": "{MARKER}\n"}}', f"{NO_JSON}20): a string contains a line break; write it as \\n, or close the "),
    "tab": (f'{{"A": "{MARKER}\t"}}', f"{NO_JSON}20): a string contains a tab; write it as \\t"),
    "unquoted": (f"{{user:{MARKER}}}", f"{NO_JSON}2): a key or value has no quotation marks; write "),
    "single": (f"{{'A': '{MARKER}'}}", f"{NO_JSON}2): it contains single quotation marks; use double ones"),
    "comma": (f'{{"A": "{MARKER}", }}', f"{NO_JSON}"),
    "nan": (f'{{"A": NaN, "B": "{MARKER}"}}', "the secret is not valid JSON: NaN and Infinity are not JSON numbers; "),
    "string": (f'"{{\\"A\\": \\"{MARKER}\\"}}"', "the secret is a JSON object inside a JSON string; store the object"),
    "escaped": (f'{{\\"A\\": \\"{MARKER}\\"}}', f"{NO_JSON}2): quotation marks or line breaks are escaped outside"),
    "dotenv": (
        f"A={MARKER}\nB=2\n",
        f"the secret is not valid JSON: it looks like lines of NAME=value (dotenv); {STORE}",
    ),
}


def test_the_mistake_in_a_secret_is_named_and_nothing_of_it_is_shown(entrypoint: Entrypoint, transport: str) -> None:
    with http_server(secrets({name: text for name, (text, _) in MISTAKES.items()})) as server:
        references = {f"{PREFIX}{name}": name for name in MISTAKES}
        ended = entrypoint("true", environ=aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport))
    lines = dict(zip(sorted(MISTAKES), ended.err.splitlines(), strict=True))
    start = "run-lambda-entrypoint: {0}{1}: secret {1}: {2}"
    wrong = [line for name, line in lines.items() if not line.startswith(start.format(PREFIX, name, MISTAKES[name][1]))]
    assert (ended.code, wrong, MARKER in ended.err) == (125, [], False)
    assert lines["comma"].endswith("): a comma follows the last item; remove it")


@pytest.mark.parametrize(
    ("reference", "fix"),
    [
        (
            {f"{VALUE}KEYSTORE": "name"},
            "store it as base64 text, or use LAMBDA_ENV_BASE64_FROM_KEYSTORE to get its base64",
        ),
        ({f"{VALUE}PASSWORD": "name:password"}, "store a JSON object as text"),
        ({"SECRETS_MANAGER_ARN": "name"}, "store a JSON object as text"),
    ],
)
def test_binary_content_is_refused_with_a_form_that_can_be_loaded(
    entrypoint: Entrypoint, transport: str, reference: dict[str, str], fix: str
) -> None:
    body = secret_body(SecretBinary=b64encode(b"\xfe\xed" + MARKER.encode()).decode())
    with http_server(lambda _: by_length(body)) as server:
        ended = entrypoint("true", environ=aws(server.url, reference, LAMBDA_ENV_TRANSPORT=transport))
    assert ended.code == 125
    assert ended.err.endswith(f": secret name: the secret is binary but not valid UTF-8; {fix}\n")


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
    texts = {"a": json.dumps(IDENTITY), "b": '{"B": "1"}'}
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
