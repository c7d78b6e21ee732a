"""Whatever a secret holds: the real process ends with 125 or hands on exactly the right environment."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import by_length, http_server, secret

pytestmark = pytest.mark.slow

MARKER = "ZXQJhunter2"
RESERVED = ("_HANDLER", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME")

keys = st.sampled_from(["KEY", "PATH", "LD_LIBRARY_PATH", "é", "a b", *RESERVED]) | st.text(max_size=5)
leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=20).map(lambda text: text + MARKER)
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5)
documents = st.dictionaries(keys, values, max_size=5)


class Served:
    """A server whose secret is `reply`, and the environment of a function that asks for it."""

    def __init__(self) -> None:
        self.reply = secret('{"A": "1"}')
        self.environ: dict[str, str] = {}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    with http_server(lambda _: served.reply) as server:
        served.environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT="direct", LOCALE="C")
        yield served


def rendered(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def variables(document: dict[str, Any]) -> dict[bytes, bytes] | None:
    """What a document sets, None where it is to be refused."""
    try:
        entries = {key.encode(): rendered(value).encode() for key, value in document.items()}
    except UnicodeEncodeError:  # a lone surrogate
        return None
    if any(not key or b"=" in key or b"\0" in key + entries[key] for key in entries):
        return None
    if not document.keys().isdisjoint(RESERVED):
        return None
    return {key: entries[key] for key in entries if document[key.decode()] is not None}


any_example = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@any_example
@given(documents)
@example({"KEY": "a=b\n\x7f", "N": 10**40, "X": None})
@example({"A": {"B": [None, True, "é\u2028"]}})
@example({"KEY": "\ud800"})
def test_any_document_is_refused_or_sets_exactly_its_variables(
    entrypoint: Entrypoint, served: Served, document: dict[str, Any]
) -> None:
    served.reply = secret(json.dumps(document))
    before = {name.encode(): value.encode() for name, value in served.environ.items()}
    ended = entrypoint("/bin/cat", "/proc/self/environ", environ=served.environ)

    expected = variables(document)
    if expected is None:
        assert (ended.code, ended.out, MARKER in ended.err) == (125, b"", False)
    else:
        entries = dict(entry.split(b"=", 1) for entry in ended.out.split(b"\0")[:-1])
        assert (ended.code, entries) == (0, {**before, **expected})


@any_example
@given(st.sampled_from([200, 400, 403]), st.binary(max_size=50))
@example(200, b"")
@example(200, b'{"SecretString": "')
def test_any_other_reply_is_refused_in_one_line_without_a_trace(
    entrypoint: Entrypoint, served: Served, status: int, body: bytes
) -> None:
    served.reply = by_length(body + MARKER.encode(), status)
    ended = entrypoint("/bin/cat", "/proc/self/environ", environ=served.environ)

    assert (ended.code, ended.out, ended.err.count("\n"), MARKER in ended.err) == (125, b"", 1, False)
    assert "internal error" not in ended.err
