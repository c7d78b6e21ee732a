"""From the text of a secret to the variables that it sets: values, refusals, and that no value is ever told."""

from __future__ import annotations

import json
from contextlib import suppress
from traceback import format_exception

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.documents import ENTRY_LIMIT, checked, value, variables
from run_lambda_entrypoint.errors import DocumentError

MARKER = "correct-horse-battery-staple"

number_texts = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,6})?", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]))
texts_without_nul = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
containers = st.recursive(
    st.lists(scalars) | st.dictionaries(texts, scalars),
    lambda inner: st.lists(inner | scalars) | st.dictionaries(texts, inner | scalars),
    max_leaves=20,
)


def refusal(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        variables(text)
    return caught.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"plain"', "plain"),
        ('""', ""),
        ('"a=b c"', "a=b c"),
        ('"line\\nbreak"', "line\nbreak"),
        ('"\\u00e9\\ud83d\\ude00"', "é😀"),
        ('"1.50"', "1.50"),
        ("1.50", "1.50"),
        ("1e400", "1e400"),
        ("-0", "-0"),
        ("-0.0E+00", "-0.0E+00"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        pytest.param("7" * 5000, "7" * 5000, id="5000 digits"),
        ("true", "true"),
        ("false", "false"),
        ("[]", "[]"),
        ("{ }", "{}"),
        ('[ 1.50, "a b", null, true ]', '[1.50,"a b",null,true]'),
        ('{ "b" : 1e400 , "a" : [ { } ] }', '{"b":1e400,"a":[{}]}'),
        ('["\\u00e9", "\\ud83d\\ude00"]', '["é","😀"]'),
        ('["\\u0000\\n\\"\\\\"]', '["\\u0000\\n\\"\\\\"]'),
    ],
)
def test_a_value_becomes_text(value: str, expected: str) -> None:
    actual = variables(f'{{"KEY": {value}}}')
    assert actual == {"KEY": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", {}),
        (' \r\n\t{"A": "1", "B": "2"} ', {"A": "1", "B": "2"}),
        ('{"A": null, "B": "2"}', {"B": "2"}),
        ('{"A": "first", "A": "last"}', {"A": "last"}),
        ('{"A": null, "A": "last"}', {"A": "last"}),
        ('{"A": "first", "A": null}', {}),
        ('{"a.b-c d/é": "odd but legal"}', {"a.b-c d/é": "odd but legal"}),
        (
            '{"AWS_SECRET_ACCESS_KEY": "k", "AWS_REGION": "r"}',
            {"AWS_SECRET_ACCESS_KEY": "k", "AWS_REGION": "r"},
        ),
        ('{"SECRETS_MANAGER_ARN": "just a value"}', {"SECRETS_MANAGER_ARN": "just a value"}),
        ('{"AWS_LAMBDA_FUNCTION": "no prefix of ours"}', {"AWS_LAMBDA_FUNCTION": "no prefix of ours"}),
        ('{"aws_execution_env": "names have a case"}', {"aws_execution_env": "names have a case"}),
    ],
)
def test_an_object_becomes_variables(text: str, expected: dict[str, str]) -> None:
    actual = variables(text)
    assert actual == expected


def test_variables_keep_the_order_of_the_keys() -> None:
    actual = list(variables('{"b": "", "a": "", "c": ""}'))
    assert actual == ["b", "a", "c"]


@given(number_texts)
def test_a_number_keeps_its_very_characters(number: str) -> None:
    actual = variables(f'{{"KEY": {number}}}')
    assert actual == {"KEY": number}


@given(number_texts)
def test_a_number_inside_a_value_keeps_its_very_characters(number: str) -> None:
    actual = variables(f'{{"KEY": [{{"n": {number}}}]}}')
    assert actual == {"KEY": f'[{{"n":{number}}}]'}


@given(texts_without_nul, st.booleans())
def test_a_string_stays_as_it_is(text: str, escaped: bool) -> None:
    actual = variables(json.dumps({"KEY": text}, ensure_ascii=escaped))
    assert actual == {"KEY": text}


@given(containers, st.booleans(), st.sampled_from([None, 0, 3]))
def test_a_container_becomes_compact_json(value: object, escaped: bool, indent: int | None) -> None:
    actual = variables(json.dumps({"KEY": value}, ensure_ascii=escaped, indent=indent))
    assert actual == {"KEY": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}


@given(containers)
def test_a_container_survives_the_round_trip(value: object) -> None:
    actual = json.loads(variables(json.dumps({"KEY": value}))["KEY"])
    assert actual == value


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(DocumentError):
        variables(text)


STORE_AN_OBJECT = 'store an object like {"NAME": "value"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"the secret is not JSON (fault at line 1, column 1); {STORE_AN_OBJECT}"),
        ("KEY=value", f"the secret is not JSON (fault at line 1, column 1); {STORE_AN_OBJECT}"),
        ('{"A": 1,\n"B": 2,}', f"the secret is not JSON (fault at line 2, column 8); {STORE_AN_OBJECT}"),
        ("{} {}", f"the secret is not JSON (fault at line 1, column 4); {STORE_AN_OBJECT}"),
        ('\ufeff{"A": 1}', f"the secret is not JSON (fault at line 1, column 1); {STORE_AN_OBJECT}"),
        ('{"A": NaN}', f"the secret is not JSON (fault); {STORE_AN_OBJECT}"),
        ('{"A": [-Infinity]}', f"the secret is not JSON (fault); {STORE_AN_OBJECT}"),
        ("[]", f"the secret is JSON but an array; {STORE_AN_OBJECT}"),
        ('"{}"', f"the secret is JSON but a string; {STORE_AN_OBJECT}"),
        ("1.5", f"the secret is JSON but a number; {STORE_AN_OBJECT}"),
        ("true", f"the secret is JSON but a boolean; {STORE_AN_OBJECT}"),
        ("null", f"the secret is JSON but null; {STORE_AN_OBJECT}"),
    ],
)
def test_what_is_no_object_is_refused(text: str, expected: str) -> None:
    actual = str(refusal(text))
    assert actual == expected


NOT_IN_A_NAME = "a variable's name cannot hold '=' or NUL"
SURROGATE = "key or value holds a lone surrogate, which is no character; store the text as valid Unicode"
NUL = "the value holds NUL, which no variable can; encode it (base64, say)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"": "x"}', 'key "": an empty key cannot name a variable'),
        ('{"A=B": "x"}', f'key "A=B": {NOT_IN_A_NAME}'),
        ('{"A\\u0000": "x"}', f'key "A\\x00": {NOT_IN_A_NAME}'),
        ('{"A": "x\\u0000"}', f'key "A": {NUL}'),
        ('{"A": "\\ud800"}', f'key "A": {SURROGATE}'),
        ('{"A": ["\\udfff"]}', f'key "A": {SURROGATE}'),
        ('{"A\\udc80": "x"}', f'key "A\\udc80": {SURROGATE}'),
        ('{"A": "x\\u0000", "fine": "x", "=": 1}', f'key "A": {NUL}; key "=": {NOT_IN_A_NAME}'),
    ],
)
def test_what_no_variable_can_hold_is_refused_by_its_key(text: str, expected: str) -> None:
    actual = str(refusal(text))
    assert actual == expected


@pytest.mark.parametrize(
    "key",
    [
        "AWS_LAMBDA_RUNTIME_API",
        "_HANDLER",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_EXECUTION_ENV",
    ],
)
def test_a_name_of_the_runtime_contract_is_refused(key: str) -> None:
    actual = str(refusal(json.dumps({key: "x"})))
    assert actual == f'key "{key}": Lambda reserves this name to describe the runtime; rename the key'


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_the_largest_entry_that_linux_takes_is_accepted(character: str) -> None:
    value = character * ((ENTRY_LIMIT - len("KEY=\0")) // len(character.encode()))
    actual = variables(json.dumps({"KEY": value}))
    assert actual == {"KEY": value}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        pytest.param("x" * (ENTRY_LIMIT - len("KEY=\0") + 1), "131,073", id="one byte"),
        pytest.param("é" * 65_534, "131,073", id="two bytes a character"),
        pytest.param(["x" * ENTRY_LIMIT], "131,081", id="compact JSON"),
    ],
)
def test_an_entry_over_linux_limit_is_refused(value: object, size: str) -> None:
    actual = str(refusal(json.dumps({"KEY": value})))
    assert (
        actual == f'key "KEY": the variable would take {size} bytes, over Linux\'s 131,072; split the value'
    )


@pytest.mark.parametrize("depth", [1_000, 5_000, 1_000_000])
def test_json_nested_too_deeply_is_refused(depth: int) -> None:
    actual = str(refusal('{"KEY": ' + "[" * depth + "]" * depth + "}")).rpartition("is ")[2]
    assert actual == "nested too deeply"


def test_a_long_key_is_told_in_part() -> None:
    actual = str(refusal(json.dumps({"=" * 100_000: "x"})))
    assert len(actual) < 200


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(MARKER, id="no JSON"),
        pytest.param(f'{{"KEY": "{MARKER}}}', id="open string"),
        pytest.param(f'{{"KEY": "{MARKER}",}}', id="comma too many"),
        pytest.param(f'{{"KEY": {MARKER}}}', id="no quotes"),
        pytest.param(f'{{"KEY": "{MARKER}\n"}}', id="raw control character"),
        pytest.param(f'{{"KEY": "\\u{MARKER}"}}', id="wrong escape"),
        pytest.param(f'{{"A": "{MARKER}", "KEY": NaN}}', id="NaN"),
        pytest.param(f'"{MARKER}"', id="a string"),
        pytest.param(f'["{MARKER}"]', id="an array"),
        pytest.param(f'{{"": "{MARKER}"}}', id="empty key"),
        pytest.param(f'{{"A=B": "{MARKER}"}}', id="equals sign in a key"),
        pytest.param(f'{{"A\\u0000": "{MARKER}"}}', id="NUL in a key"),
        pytest.param(f'{{"KEY": "{MARKER}\\u0000"}}', id="NUL in a value"),
        pytest.param(f'{{"KEY": "{MARKER}\\ud800"}}', id="lone surrogate in a value"),
        pytest.param(f'{{"KEY": ["{MARKER}\\ud800"]}}', id="lone surrogate in a container"),
        pytest.param(f'{{"\\ud800": "{MARKER}"}}', id="lone surrogate in a key"),
        pytest.param(f'{{"_HANDLER": "{MARKER}"}}', id="reserved"),
        pytest.param(f'{{"KEY": "{MARKER * 5_000}"}}', id="too large"),
        pytest.param(f'{{"KEY": {"[" * 1_000}"{MARKER}"{"]" * 1_000}}}', id="nested too deeply"),
        pytest.param(f'{{"KEY": {"[" * 100_000}"{MARKER}"{"]" * 100_000}}}', id="nested far too deeply"),
        pytest.param(f'{{"A": "{MARKER}", "": 1}}', id="fault of another key"),
    ],
)
def test_a_refusal_never_tells_a_value(text: str) -> None:
    shown = "".join(format_exception(refusal(text)))
    assert MARKER not in shown


@given(st.data())
def test_a_mangled_document_never_tells_a_value(data: st.DataObject) -> None:
    text = json.dumps({"A": MARKER, "B": [MARKER, 1.5], "C": {"D": MARKER}}, indent=1)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    shown = ""
    try:
        variables(text[:start] + text[end:])
    except DocumentError as error:
        shown = "".join(format_exception(error))
    assert MARKER not in shown


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('{"A": "text", "B": "other"}', "A", "text"),
        ('{"A": ""}', "A", ""),
        ('{"A": 1.50}', "A", "1.50"),
        ('{"A": 0}', "A", "0"),
        ('{"A": false}', "A", "false"),
        ('{"A": [ ]}', "A", "[]"),
        ('{"A": {"b": [1e400, "é"]}}', "A", '{"b":[1e400,"é"]}'),
        ('{"A": "first", "A": "last"}', "A", "last"),
        ('{"": "empty"}', "", "empty"),
        ('{"a.b": "literal"}', "a.b", "literal"),
        ('{"_HANDLER": "no name of ours"}', "_HANDLER", "no name of ours"),
        ('{"A": "wanted", "_HANDLER": "", "=": "\\u0000", "": 1}', "A", "wanted"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_key_has_its_value(text: str, key: str, expected: str, nested: bool) -> None:
    actual = value(text, key, nested=nested)
    assert actual == expected


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('{"a": {"b": "nested"}}', "a.b", "nested"),
        ('{"a": {"b": {"c": 1.50}}}', "a.b.c", "1.50"),
        ('{"a": {"b": {"c": 1.50}}}', "a.b", '{"c":1.50}'),
        ('{"a": {"b": "nested"}, "a.b": "literal"}', "a.b", "literal"),
        ('{"a.b": "literal", "a": {"b": "nested"}}', "a.b", "literal"),
        ('{"a": {"": "empty"}}', "a.", "empty"),
        ('{"": {"": "empty"}}', ".", "empty"),
    ],
)
def test_a_key_is_nested_only_where_none_is_called_so(text: str, key: str, expected: str) -> None:
    actual = value(text, key, nested=True)
    assert actual == expected


def refused_key(text: str, key: str, *, nested: bool = False) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        value(text, key, nested=nested)
    return caught.value


@pytest.mark.parametrize(
    ("text", "key", "nested", "keys"),
    [
        ("{}", "A", False, "none"),
        ('{"B": 1, "a": 2}', "A", False, '"B", "a"'),
        ('{"A": null, "B": 1}', "A", False, '"A", "B"'),
        ('{"a": {"b": 1}}', "a.b", False, '"a"'),
        ('{"a": {"b": null}}', "a.b", True, '"a"'),
        ('{"a": {"b": 1}}', "a.c", True, '"a"'),
        ('{"a": "text"}', "a.b", True, '"a"'),
        ('{"a": ["text"]}', "a.0", True, '"a"'),
        ('{"a.b": null, "a": {"b": 1}}', "a.b", True, '"a.b", "a"'),
        ('{"new\\nline": 1}', "A", True, r'"new\nline"'),
    ],
)
def test_a_key_that_is_not_there_or_null_is_refused_with_the_keys_that_are(
    text: str, key: str, nested: bool, keys: str
) -> None:
    actual = str(refused_key(text, key, nested=nested))
    assert actual == f'key "{key}" is not there, or null; the secret\'s keys are: {keys}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MARKER, f"the secret is not JSON (fault at line 1, column 1); {STORE_AN_OBJECT}"),
        (f'["{MARKER}"]', f"the secret is JSON but an array; {STORE_AN_OBJECT}"),
    ],
)
def test_a_key_of_no_object_is_refused(text: str, expected: str) -> None:
    actual = str(refused_key(text, "A"))
    assert actual == expected


def test_a_long_list_of_keys_is_told_in_part() -> None:
    actual = str(refused_key(json.dumps(dict.fromkeys(map(str, range(1000)), 1)), "A"))
    assert len(actual) < 600


@given(scalars, st.text())
def test_a_refused_key_never_tells_a_value(inner: object, key: str) -> None:
    text = json.dumps({"a": MARKER, "b": {"c": MARKER, "d": inner}, "e": [MARKER]})
    shown = "".join(format_exception(refused_key(text, f"x{key}", nested=True)))
    assert MARKER not in shown


@given(st.dictionaries(texts, texts_without_nul, min_size=1), st.data())
def test_a_key_has_the_value_that_the_whole_object_gives_it(
    document: dict[str, str], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    actual = value(json.dumps(document), key, nested=data.draw(st.booleans()))
    assert actual == document[key]


def test_what_has_no_value_is_left_out() -> None:
    actual = checked({"A": "1", "B": None, "C": ""})
    assert actual == {"A": "1", "C": ""}
