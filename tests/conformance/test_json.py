"""JSON as `_json` and as `json` have it: the same value or the same error, in every interpreter that is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build import Interpreter, interpreters
from tests.conformance import client
from tests.conformance.conftest import agreed, running

if TYPE_CHECKING:
    from tests.conformance.conftest import Halves

TEXTS = [
    *("", " ", "{}", "[]", " \r\n\t{ } ", "{", "}", "[", "]", "{]", "[1,]", '{"a": 1,}', '{"a" 1}', "{1: 2}", '{"a"}'),
    *('{"a": 1, "a": 2}', '{"b": 1, "a": {"b": null}}', "{} {}", "{}x", "{}\0", "\u00a0{}", "\f{}", "\u2028{}"),
    *("null", "true", "false", "nul", "True", "NaN", "Infinity", "-Infinity", "[NaN]", '{"a": Infinity}'),
    *("1", "-1", "01", "-", "+1", "1.", ".5", "1.50", "1e400", "-1E-400", "1e", "0x1", "1_0", "-0", "-0.0", "7" * 5000),
    *('"', '"a', '"a"', "'a'", '"\\', '"\\u', '"\\u12"', '"\\u00e9"', '"\\x"', '"\n"', '"\0"', '"\x7f"', '"\\/\\b\\f"'),
    *('"\\ud83d\\ude00"', '"\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83dx"', '"\ud83d"', '"😀"', '"é"', "é", "\ud800"),
    *("\ufeff{}", "\ufeff", "//", "/**/{}", '{"a": "' + "x" * 100_000, '{"\\u0061": 1}', '{"": ""}'),
    # As bytes, one for each character: a byte order mark, UTF-16, UTF-32, what is not UTF-8.
    *("ï»¿{}", "ÿþ{\0}\0", "þÿ\0{\0}", "{\0}\0", "\0{\0}", "{\0\0\0}\0\0\0", "ÿ", '"\xff"', '"\xed\xa0\x80"', '"Ã©"'),
    *("[" * 50 + "]" * 50, "[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000),
]
scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(scalars), max_leaves=10
)
fractions = st.recursive(scalars | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
EVERY_RUN = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_a_text_is_read_alike(halves: Halves, text: str) -> None:
    agreed(halves.play("parsed", [text]))


@pytest.mark.parametrize("python", interpreters().values(), ids=interpreters())
def test_the_first_error_of_a_process_is_judged_alike(python: Interpreter) -> None:
    """That json.decoder was not imported before is what CPython 3.11 raises SystemError for."""
    with running(python.path, client.C) as c, running(python.path, client.PUBLIC) as public:
        for each in (c, public):
            each.tell("parsed", ['"a'])
        assert c.answer() == public.answer()


@EVERY_RUN
@given(st.lists(st.text() | st.text('{}[]":,\\u0019eE+-. \ntrufalsn'), max_size=20))
def test_any_text_is_read_alike(halves: Halves, texts: list[str]) -> None:
    agreed(halves.play("parsed", texts))


@EVERY_RUN
@given(st.lists(fractions, max_size=5), st.booleans(), st.data())
def test_any_json_is_read_alike_whole_and_in_part(
    halves: Halves, documents: list[object], escaped: bool, data: st.DataObject
) -> None:
    texts = [json.dumps(document, ensure_ascii=escaped) for document in documents]
    cuts = [data.draw(st.integers(0, len(text))) for text in texts]
    texts += [text[:cut] + text[cut + 1 :] for text, cut in zip(texts, cuts, strict=True)]
    agreed(halves.play("parsed", texts))


@EVERY_RUN
@given(st.lists(values, max_size=10))
def test_any_value_is_written_as_json_writes_it(halves: Halves, written: list[object]) -> None:
    found = agreed(halves.play("written", written))
    expected = [[True, True, json.dumps(value)] for value in written]
    assert found == dict.fromkeys(found, expected)
