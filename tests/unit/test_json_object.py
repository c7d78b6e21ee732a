"""From the text of a secret to the variables that it sets: values, refusals, and that no message has a value."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from traceback import format_exception

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from run_lambda_entrypoint.errors import EntrypointError
from run_lambda_entrypoint.loading import json_object
from run_lambda_entrypoint.variables import MAX_ENTRY_SIZE, check

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


def variables(text: str) -> dict[str, str]:
    return check(json_object.texts(text))


def value(text: str, key: str, *, nested: bool = False) -> str:
    return json_object.text(text, key, nested=nested)


def refusal(text: str) -> EntrypointError:
    with pytest.raises(EntrypointError) as caught:
        variables(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", {}),
        (' \r\n\t{"B": "1", "A": "2"} ', {"B": "1", "A": "2"}),
        ('{"A": null, "B": "2"}', {"B": "2"}),
        ('{"A": "first", "A": "last"}', {"A": "last"}),
        ('{"A": null, "A": "last"}', {"A": "last"}),
        ('{"A": "first", "A": null}', {}),
        ('{"a.b-c d/é": true, "B": false}', {"a.b-c d/é": "true", "B": "false"}),
        ('{"AWS_LAMBDA_FUNCTION": "not our prefix"}', {"AWS_LAMBDA_FUNCTION": "not our prefix"}),
        ('{"aws_execution_env": "names have a case"}', {"aws_execution_env": "names have a case"}),
    ],
)
def test_an_object_becomes_variables_in_its_order(text: str, expected: dict[str, str]) -> None:
    assert list(variables(text).items()) == list(expected.items())


@given(number_texts)
@example("7" * 5000)
@example("-0.0E+00")
def test_a_number_keeps_its_very_characters(number: str) -> None:
    assert variables(f'{{"KEY": {number}, "IN": [{{"n": {number}}}]}}') == {"KEY": number, "IN": f'[{{"n":{number}}}]'}


@given(texts_without_nul, st.booleans())
def test_a_string_stays_as_it_is(text: str, escaped: bool) -> None:
    assert variables(json.dumps({"KEY": text}, ensure_ascii=escaped)) == {"KEY": text}


@given(containers, st.booleans(), st.sampled_from([None, 0, 3]))
def test_a_container_becomes_compact_json(value: object, escaped: bool, indent: int | None) -> None:
    actual = variables(json.dumps({"KEY": value}, ensure_ascii=escaped, indent=indent))
    assert actual == {"KEY": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(EntrypointError):
        variables(text)


STORE = 'store an object such as {"NAME": "value"}, or use LAMBDA_ENV_VALUE_FROM_NAME without a KEY for plain text'


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    text = '\ufeff{"A": "1", "B": "\ufeff2"}'
    assert (variables(text), value(text, "A"), value(text, "B")) == ({"A": "1", "B": "\ufeff2"}, "1", "\ufeff2")


COMMENT = "it contains a comment, which JSON does not allow; remove it"
BRACKETS = "a key has no value, or [ is closed with }, or { with ]"
CONSTANT = "NaN and Infinity are not JSON numbers; write null, or a string"
CONTROL = "a string contains a control character; write it as \\u and four hexadecimal digits"
ENDS_EARLY = "it ends too early: a bracket or quotation mark is missing, or the text was truncated"
ESCAPE = "a string contains a backslash that starts no valid escape; write it as \\\\"
ESCAPED = 'quotation marks or line breaks are escaped outside of strings; write " instead of \\"'
INVISIBLE = "it contains an invisible character, such as a no-break space; replace it with a space"
LINE_BREAK = 'a string contains a line break; write it as \\n, or close the string with " before it'
MISSING = "a comma is missing between two items, or a colon after a key; add it"
NO_ITEM = "a comma has no item before it; remove it"
NO_VALUE = 'a key has no value; write "" or null'
OPEN_STRING = "a string is not closed: its quotation mark is missing, or the text was truncated"
PYTHON = "it contains Python's True, False or None; write true, false or null"
QUOTE_INSIDE = 'a string contains a quotation mark; write it as \\", or close the string with " before it'
SEVERAL = "it contains several objects; store one"
SINGLE = 'it contains single quotation marks; use double ones (")'
TAB = "a string contains a tab; write it as \\t"
TRAILING_COMMA = "a comma follows the last item; remove it"
TRAILING_TEXT = "text follows the object; remove it"
TYPOGRAPHIC = 'it contains typographic quotation marks; use straight ones (")'
UNQUOTED = 'a key or value has no quotation marks; write "key": "value"'
KINDS = [
    *((f'{{"A": "x{end}y"}}', LINE_BREAK) for end in ("\n", "\r\n")),
    *(('{"A": "x\n}', LINE_BREAK), ('{"A": "x\ty"}', TAB), ('{"A": "x\x1by"}', CONTROL)),
    *((f'{{"A": "{text}"}}', ESCAPE) for text in (r"C:\Users", r"\d", r"\\\u12", r"\"{\x")),
    *(("{user:admin}", UNQUOTED), ('{"A": 1,B: 2}', UNQUOTED), ('{"A": admin}', UNQUOTED), ("[a]", UNQUOTED)),
    *((f'{{"A": {number}}}', UNQUOTED) for number in ("01", "+1", "0x1F", "1_000", "-", "undefined", "TRUE")),
    *(("{'A': 1}", SINGLE), ("""{"A": 'x'}""", SINGLE), ("{“A”: 1}", TYPOGRAPHIC), ('{"A": „x“}', TYPOGRAPHIC)),
    *(('{"A": 1, }', TRAILING_COMMA), ('{"A": [1,\n]}', TRAILING_COMMA), ("{,}", TRAILING_COMMA)),
    *((f'{{"A": {word}, "B": 1}}', PYTHON) for word in ("True", "False", "None")),
    *((f'{{"A": {word}, "B": 1}}', CONSTANT) for word in ("NaN", "Infinity", "-Infinity", "[NaN]")),
    *(("{/* x */}", COMMENT), ('{"A": 1 // x\n}', COMMENT), ('{# x\n"A": 1}', COMMENT)),
    *((r"{\"user\":\"admin\"}", ESCAPED), (r"{\n  \"user\": 1}", ESCAPED), (r'{"A": \"x\"}', ESCAPED)),
    *(('{"A": "x"y"}', QUOTE_INSIDE), ('{"A": "<a b="c">"}', QUOTE_INSIDE), ('{"A": ""x"}', QUOTE_INSIDE)),
    *((f'{{"A": 1{between}"B": 2}}', MISSING) for between in ("", " ", "\n", ";")),
    *(('{"A" "x"}', MISSING), ('{"A" = "x"}', MISSING), ('{"A": {"B": 1} {"C": 2}}', MISSING)),
    *((f'{{"A": "1", "B": {{"C": [{end}', ENDS_EARLY) for end in ("", " ", "1", "1, ", '"1"')),
    *(('{"A": "1', OPEN_STRING), ('{"A": "1", "B": "1}', OPEN_STRING), ('{"A": "\\', OPEN_STRING)),
    *(('{"A": }', NO_VALUE), ('{"A":, "B": 1}', NO_VALUE)),
    *((text, NO_ITEM) for text in ('{"A": 1,, "B": 2}', '{, "A": 1}', "[1, , 2]")),
    *((text, BRACKETS) for text in ('{"A"}', '{"A": [1}', '{"A": {"B": 1]}', '{"A": ["x"}')),
    *((text, INVISIBLE) for text in ('{\xa0"A": 1}', '{"A":\u200b1}', '{"A": 1,\u3000"B": 2}', '{"A"\ufeff: 1}')),
    *(("{} {}", SEVERAL), ('{"A": 1}\n{"B": 2}\n', SEVERAL), ("{}[]", SEVERAL)),
    *(("{}}", TRAILING_TEXT), ('{"A": 1},', TRAILING_TEXT), (f'{{"A": {"7" * 5000}}}x', TRAILING_TEXT)),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
@pytest.mark.parametrize("before", ["", "\ufeff \n"])
def test_the_kind_of_error_is_named(text: str, kind: str, before: str) -> None:
    actual = str(refusal(before + text))
    assert re.sub(r" \(error at line \d+, column \d+\)", "", actual) == f"the secret is not valid JSON: {kind}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, "it is empty") for text in ("", " \n")),
        *((f'{quote}{{"A": 1}}{quote}', "the object is in quotation marks; remove them") for quote in ("'", '"', "`")),
        *(
            (text, "it looks like lines of NAME=value (dotenv)")
            for text in ("A=1\nB=2", "# x\r\n\r\nexport A=1", "A = '1'")
        ),
        *((text, "it looks like YAML") for text in ("---\nA: 1", "A: 1\nb: 2", "a-b.c:\n  - 1", "---")),
        *(
            (text, "an invisible character is before the object; remove it")
            for text in ('\xa0{"A": 1}', '\n\u200b{"A": 1}', '\ufeff\ufeff {"A": 1}')
        ),
        *((text, "it is plain text") for text in ("ghp_token", "dG9rZW4=", "a==", "https://u:p@host", "NaN", "<a/>")),
    ],
)
def test_of_what_is_no_json_at_all_its_kind_is_named_and_how_it_can_be_used(text: str, kind: str) -> None:
    assert str(refusal(text)) == f"the secret is not valid JSON: {kind}; {STORE}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"A": 1}]', "line 1, column 9"),
        ('{"A": 1,\n"B": "\n"}', "line 2, column 7"),
        ('\n\n {"A": 1,,\n"B": 2}', "line 3, column 10"),
    ],
)
def test_the_place_of_an_error_is_named(text: str, place: str) -> None:
    assert str(refusal(text)).startswith(f"the secret is not valid JSON (error at {place})")


def test_an_error_of_no_known_kind_has_its_place_and_an_example() -> None:
    assert str(refusal('{{"A": 1}}')) == f"the secret is not valid JSON (error at line 1, column 2); {STORE}"


HUGE = 65_536  # bytes, what Secrets Manager stores at most


@pytest.mark.parametrize(
    "text",
    [
        *(
            unit * (HUGE // len(unit))
            for unit in (" ", "\xa0", "\n", "a", "a\n", "# \r\n", "A:", '"', "'", "{}", "{}\n")
        ),
        *('{"A":' + unit * (HUGE // len(unit)) for unit in (" ", "\n", "\\", '\\"', '"', ",\n", ", ", "1", "[]", "'")),
        *('{"A":"' + unit * (HUGE // len(unit)) + "\n" for unit in (" ", "\\\\", '\\"', '{\\"A\\":', "\u2028")),
    ],
)
def test_the_kind_of_an_error_in_a_large_secret_is_found(text: str) -> None:
    """A pattern that backtracks would take hours."""
    refusal(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("[]", "an array"), ('"token"', "a string"), ("1.5", "a number"), ("true", "a boolean"), ("null", "null")],
)
def test_json_that_is_not_an_object_is_refused(text: str, kind: str) -> None:
    assert str(refusal(text)) == f"the secret must be a JSON object, not {kind}; {STORE}"


@pytest.mark.parametrize("text", [r'"{\"A\": 1}"', r'" {\"A\": \"1\"}\n"', '"{"'])
def test_an_object_inside_a_string_is_refused(text: str) -> None:
    assert str(refusal(text)) == (
        "the secret is a JSON object inside a JSON string; store the object itself, without the quotation marks around "
        "it and the backslashes in it"
    )


NOT_IN_A_NAME = "a variable name must not contain '=' or NUL"
SURROGATE = "the name or value contains a lone surrogate, which is not a valid character; store it as valid Unicode"
NUL = "the value contains NUL, which no variable can hold; encode it (for example, as base64)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"": "x"}', 'key "": a variable name must not be empty'),
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
    assert str(refusal(text)) == expected


@pytest.mark.parametrize(
    "key",
    [
        *("AWS_LAMBDA_RUNTIME_API", "_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        *("AWS_LAMBDA_FUNCTION_", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_MAX_CONCURRENCY"),
        *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN"),
    ],
)
def test_a_name_of_the_runtime_contract_is_refused(key: str) -> None:
    expected = f'key "{key}": Lambda reserves this name to describe the runtime; rename it'
    assert str(refusal(json.dumps({key: "x"}))) == expected


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_the_largest_entry_that_linux_takes_is_accepted(character: str) -> None:
    value = character * ((MAX_ENTRY_SIZE - len("KEY=\0")) // len(character.encode()))
    assert variables(json.dumps({"KEY": value})) == {"KEY": value}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        pytest.param("x" * (MAX_ENTRY_SIZE - len("KEY=\0") + 1), "131,073", id="one byte"),
        pytest.param("é" * 65_534, "131,073", id="two bytes a character"),
        pytest.param(["x" * MAX_ENTRY_SIZE], "131,081", id="compact JSON"),
    ],
)
def test_an_entry_over_linux_limit_is_refused(value: object, size: str) -> None:
    actual = str(refusal(json.dumps({"KEY": value})))
    limit = "more than Linux's limit of 131,072; split the value"
    assert actual == f'key "KEY": the variable would take {size} bytes, {limit}'


@pytest.mark.parametrize("depth", [101, 1_000, 1_000_000])
@pytest.mark.parametrize("string", ['""', '"]"', r'"\"]]]"', r'"\\"', r'"\\\"]"'])
def test_json_nested_too_deeply_is_refused(depth: int, string: str) -> None:
    inner = depth - 1
    actual = str(refusal(f'{{"STRING": {string}, "KEY": {"[" * inner}{"]" * inner}}}'))
    assert actual == "the secret's JSON is nested more than 100 levels deep; flatten it"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("[" * 99 + "]" * 99, id="100 levels with the object"),
        pytest.param(f'"{5_000 * "[{"}"', id="brackets in a string"),
        pytest.param('"' + 5_000 * r"\"[" + '"', id="brackets in a string with quotes"),
        pytest.param(r'"\\", "B": [' + ",".join(["[[]]"] * 200) + "]", id="many side by side"),
    ],
)
def test_brackets_that_are_not_nested_deeply_are_accepted(value: str) -> None:
    text = f'{{"A": {value}}}'
    assert list(json_object.texts(text)) == list(json.loads(text))


def test_a_long_key_is_shown_in_part() -> None:
    actual = str(refusal(json.dumps({"=" * 100_000: "x"})))
    assert len(actual) < 200


@pytest.mark.parametrize(
    "text",
    [
        *(f'{{"KEY": {MARKER}}}', f'{{"KEY": "{MARKER}",}}', f'{{"KEY": "{MARKER}\n"}}', f'{{"KEY": "\\u{MARKER}"}}'),
        *(f'{{"A": "{MARKER}", "": 1}}', f'{{"A\\u0000": "{MARKER}"}}', f'{{"\\ud800": "{MARKER}"}}'),
    ],
)
def test_a_refusal_never_shows_a_value(text: str) -> None:
    shown = "".join(format_exception(refusal(text)))
    assert MARKER not in shown


@given(st.data())
def test_a_mangled_object_never_shows_a_value(data: st.DataObject) -> None:
    text = json.dumps({"A": MARKER, "B": [MARKER, 1.5], "C": {"D": MARKER}}, indent=1)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    shown = ""
    try:
        variables(text[:start] + text[end:])
    except EntrypointError as error:
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
        ('{"_HANDLER": "not our name"}', "_HANDLER", "not our name"),
        ('{"A": "wanted", "_HANDLER": "", "=": "\\u0000", "": 1}', "A", "wanted"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_key_has_its_value(text: str, key: str, expected: str, nested: bool) -> None:
    assert value(text, key, nested=nested) == expected


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
def test_a_dot_goes_into_an_object_unless_a_key_has_that_name(text: str, key: str, expected: str) -> None:
    assert value(text, key, nested=True) == expected


def refused_key(text: str, key: str, *, nested: bool = False) -> EntrypointError:
    with pytest.raises(EntrypointError) as caught:
        value(text, key, nested=nested)
    return caught.value


@pytest.mark.parametrize(
    ("text", "key", "nested", "reason"),
    [
        ("{}", "A", False, "the secret's keys are: none"),
        ('{"B": 1, "a": 2}', "C", False, 'the secret\'s keys are: "B", "a"'),
        ('{"A": null, "B": 1}', "A", False, 'the secret\'s keys are: "A", "B"'),
        ('{"a": "text"}', "a.b", False, 'the secret\'s keys are: "a"'),
        ('{"a": {"b": null}}', "a.b", True, 'the keys of "a" are: "b"'),
        ('{"a": {"b": 1}}', "a.c", True, 'the keys of "a" are: "b"'),
        ('{"a": {"b": {"c": 1}}}', "a.b.d", True, 'the keys of "a.b" are: "c"'),
        ('{"a": {"b": {}}, "d": 1}', "a.b.d", True, 'the keys of "a.b" are: none'),
        ('{"a": {"b": 1}}', "c.b", True, 'the secret\'s keys are: "a"'),
        ('{"a": "text"}', "a.b", True, '"a" is a string, not an object'),
        ('{"a": {"b": 1.5}}', "a.b.c", True, '"a.b" is a number, not an object'),
        ('{"a": ["text"]}', "a.0", True, '"a" is an array, not an object'),
        ('{"a": null}', "a.b", True, 'the secret\'s keys are: "a"'),
        ('{"a.b": null, "a": {"b": 1}}', "a.b", True, 'the secret\'s keys are: "a.b", "a"'),
        ('{"new\\nline": 1}', "A", True, 'the secret\'s keys are: "new\\nline"'),
    ],
)
def test_a_missing_key_is_refused_with_the_keys_of_the_object_that_lacks_it(
    text: str, key: str, nested: bool, reason: str
) -> None:
    assert str(refused_key(text, key, nested=nested)) == f'key "{key}" not found or null; {reason}'


@pytest.mark.parametrize(
    ("text", "key", "similar"),
    [
        ('{"hub": {"token": "x"}, "tokn": 1}', "hub.tokn", "hub.token"),
        ('{"hub": {"token": "x"}}', "hbu.token", "hub.token"),
        ('{"password": 1, "passphrase": 2}', "pasword", "password"),
        ('{"PASSWORD": 1}', "password", "PASSWORD"),
        ('{"token": null, "token2": 1}', "token", "token2"),
    ],
)
def test_a_missing_key_is_refused_with_one_of_a_similar_name(text: str, key: str, similar: str) -> None:
    assert str(refused_key(text, key, nested=True)).endswith(f'; did you mean "{similar}"?')


@pytest.mark.parametrize(
    ("text", "nested", "is_told"),
    [
        ('{"hub": {"token": "x"}}', False, True),
        ('{"hub": "x"}', False, False),
        ('{"hub": {}, "hub.token": null}', False, False),
        ('{"hub": {}}', True, False),
    ],
)
def test_a_key_that_only_another_variable_reaches_has_its_name(text: str, nested: bool, is_told: bool) -> None:
    told = '; for a key inside "hub" use LAMBDA_ENV_VALUE_FROM_NAME'
    assert str(refused_key(text, "hub.token", nested=nested)).endswith(told) is is_told


@pytest.mark.parametrize("keys", [["k" * 6_000 + str(n) for n in range(10)], [f"key_{n:04}" for n in range(4_000)]])
def test_a_similar_name_is_found_among_large_keys_and_many(keys: list[str]) -> None:
    actual = str(refused_key(json.dumps(dict.fromkeys(keys, 1)), "key_" * 1_000))
    assert len(actual) < 1_200


def test_a_long_list_of_keys_is_shown_in_part() -> None:
    actual = str(refused_key(json.dumps(dict.fromkeys(map(str, range(1000)), 1)), "A"))
    assert len(actual) < 600


@given(scalars, st.text())
def test_a_refused_key_never_tells_a_value(inner: object, key: str) -> None:
    text = json.dumps({"a": MARKER, "b": {"c": MARKER, "d": inner}, "e": [MARKER]})
    shown = "".join(format_exception(refused_key(text, f"x{key}", nested=True)))
    assert MARKER not in shown


@given(st.dictionaries(texts, texts_without_nul, min_size=1), st.data())
def test_a_key_has_the_value_that_the_whole_object_gives_it(document: dict[str, str], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(document)))
    assert value(json.dumps(document), key, nested=data.draw(st.booleans())) == document[key]
