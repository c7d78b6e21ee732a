"""The environment, byte for byte: as the kernel gave it, merged, and as execve takes it."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import run_lambda_entrypoint
from run_lambda_entrypoint.environment import Origin, Value, as_bytes, encoded, merge, too_large, warnings
from run_lambda_entrypoint.references import SECRET, Reference

A = Reference("SECRETS_MANAGER_ARN", SECRET, "app", None)
B = Reference("LAMBDA_ENV_SECRETS_MANAGER_ARN_B", SECRET, "rds", "eu-west-1")

SOURCE = Path(run_lambda_entrypoint.__file__).parents[1]
CHILD = """
import sys
sys.path.append(sys.argv[1])
from run_lambda_entrypoint.environment import encoded, pristine
print(list(encoded(pristine()).items()))
"""

names = st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"0").replace(b"=", b"-"))
values = st.binary().map(lambda value: value.replace(b"\0", b"0"))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def handed_on(environ: Any) -> list[tuple[bytes, bytes]]:
    """What a process started with exactly `environ` reads and would hand on, in its order."""
    # "cwd" keeps subprocess from posix_spawn, which would not take one name as bytes and as str.
    command = [sys.executable, "-IS", "-c", CHILD, str(SOURCE)]
    output = subprocess.run(command, env=environ, cwd="/", check=True, stdout=subprocess.PIPE).stdout
    entries: list[tuple[bytes, bytes]] = literal_eval(output.decode())
    return entries


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="none, not even Python's own LC_CTYPE"),
        pytest.param({b"LC_ALL": b"C"}, id="C locale"),
        pytest.param({b"B": b"2", b"A": b"1"}, id="order"),
        pytest.param({b"A": b""}, id="empty value"),
        pytest.param({b"A": b"=b=c="}, id="equals signs in a value"),
        pytest.param({b"A\xff": b"\x80\xfe\n"}, id="no UTF-8"),
        pytest.param({b"A": "é😀\ud7ff".encode()}, id="UTF-8"),
        pytest.param({b"A": b"\xed\xb2\x80"}, id="an encoded surrogate"),
        pytest.param({b"PYTHONPATH": b"/x", b"PYTHONHOME": b"/y"}, id="variables of Python's"),
    ],
)
def test_an_environment_is_handed_on_unchanged(environ: dict[bytes, bytes]) -> None:
    actual = handed_on(environ)
    assert actual == list(environ.items())


@settings(max_examples=20)
@given(st.dictionaries(names, values))
def test_any_environment_is_handed_on_unchanged(environ: dict[bytes, bytes]) -> None:
    actual = handed_on(environ)
    assert actual == list(environ.items())


def test_of_a_name_that_stands_twice_the_first_counts() -> None:
    actual = handed_on({"A": "first", "B": "other", b"A": b"second"})
    assert actual == [(b"A", b"first"), (b"B", b"other")]


@given(st.binary())
def test_any_bytes_survive_as_text(original: bytes) -> None:
    actual = as_bytes(original.decode("utf-8", "surrogateescape"))
    assert actual == original


@given(st.dictionaries(texts, texts))
def test_text_is_encoded_as_utf_8(environ: dict[str, str]) -> None:
    actual = encoded(environ)
    assert actual == {name.encode(): value.encode() for name, value in environ.items()}


def loads(texts_of: dict[str, str]) -> dict[str, Value]:
    return {name: Value(text, "app", "version", "eu-west-1") for name, text in texts_of.items()}


def origin(reference: Reference) -> Origin:
    return Origin(reference, Value("battery-staple", "app", "version", "eu-west-1"), "")


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        ([{}, {}], {"OWN": "function", "SECRETS_MANAGER_ARN": "app"}),
        ([{"NEW": "a"}, {}], {"OWN": "function", "SECRETS_MANAGER_ARN": "app", "NEW": "a"}),
        ([{"OWN": "a"}, {}], {"OWN": "a", "SECRETS_MANAGER_ARN": "app"}),
        ([{"OWN": ""}, {}], {"OWN": "", "SECRETS_MANAGER_ARN": "app"}),
        ([{"OWN": "a"}, {"OWN": "b"}], {"OWN": "b", "SECRETS_MANAGER_ARN": "app"}),
        ([{"SECRETS_MANAGER_ARN": "a"}, {}], {"OWN": "function", "SECRETS_MANAGER_ARN": "a"}),
    ],
)
def test_secrets_override_the_function_and_later_ones_earlier_ones(
    loaded: list[dict[str, str]], expected: dict[str, str]
) -> None:
    actual, _, _ = merge({"OWN": "function", "SECRETS_MANAGER_ARN": "app"}, [A, B], map(loads, loaded))
    assert actual == expected


def test_each_variable_out_of_a_secret_has_the_reference_that_won_as_its_origin() -> None:
    loaded = map(loads, [{"X": "a", "Y": "a"}, {"Y": "b", "Z": "b"}])
    _, actual, _ = merge({"OWN": "function"}, [A, B], loaded)
    assert {name: origin.reference for name, origin in actual.items()} == {"X": A, "Y": B, "Z": B}


def test_each_variable_out_of_a_secret_has_the_value_that_won() -> None:
    first, second = Value("a", "app", "1", "eu-west-1"), Value("b", "rds", "2", "us-east-1")
    _, actual, _ = merge({}, [A, B], [{"X": first, "Y": first}, {"Y": second}])
    assert {name: origin.value for name, origin in actual.items()} == {"X": first, "Y": second}


def test_each_variable_out_of_a_secret_tells_what_it_overrides() -> None:
    loaded = map(loads, [{"OWN": "a", "X": "a", "Y": "a"}, {"Y": "b"}])
    _, origins, _ = merge({"OWN": "function"}, [A, B], loaded)
    actual = {name: str(origin) for name, origin in origins.items()}
    assert actual == {"OWN": f"{A}, over the function's own", "X": str(A), "Y": f"{B}, over {A}"}


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        ([{"NEW": "a"}, {"OTHER": "b"}], []),
        ([{"OWN": "a"}, {}], [f"{A} overrides OWN of the function's own"]),
        ([{"OWN": "function"}, {}], [f"{A} overrides OWN of the function's own"]),
        ([{"NEW": "a"}, {"NEW": "a"}], [f"{B} overrides NEW of {A}"]),
        (
            [{"OWN": "a"}, {"OWN": "b"}],
            [f"{A} overrides OWN of the function's own", f"{B} overrides OWN of {A}"],
        ),
        ([{"N\n": "a"}, {"N\n": "b"}], [rf"{B} overrides N\n of {A}"]),
    ],
)
def test_each_override_is_told(loaded: list[dict[str, str]], expected: list[str]) -> None:
    _, _, actual = merge({"OWN": "function"}, [A, B], map(loads, loaded))
    assert actual == expected


def test_merging_leaves_the_functions_own_environment_alone() -> None:
    actual = {"OWN": "function"}
    merge(actual, [A], [loads({"OWN": "a", "NEW": "a"})])
    assert actual == {"OWN": "function"}


@pytest.mark.parametrize(
    "name",
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"],
)
def test_aws_credentials_and_regions_in_a_secret_are_warned_of(name: str) -> None:
    actual = warnings({"OTHER": origin(A), name: origin(A)})
    assert actual == [
        f"secret app (SECRETS_MANAGER_ARN) sets {name}: the function will use it, this entrypoint does not"
    ]


def test_a_warning_is_one_printable_line() -> None:
    reference = Reference("LAMBDA_ENV_SECRETS_MANAGER_ARN_\n", SECRET, "app", None)
    (warning,) = warnings({"AWS_REGION": origin(reference)})
    assert warning.isprintable()


def test_an_environment_too_large_names_the_largest_variable_out_of_a_secret() -> None:
    merged = {"OWN": "x" * 100, "SMALL": "x", "LARGE": "x" * 10}
    actual = str(too_large(merged, {"SMALL": origin(A), "LARGE": origin(B)}))
    assert actual == (
        "the kernel refuses arguments and 130 bytes of environment (E2BIG); the largest variable out of a secret is "
        "LARGE (17 bytes), by secret rds (LAMBDA_ENV_SECRETS_MANAGER_ARN_B); load less, or raise the stack limit that "
        "bounds it"
    )


def test_an_environment_too_large_without_secrets_is_told_too() -> None:
    actual = str(too_large({"OWN": "é"}, {}))
    assert actual == (
        "the kernel refuses arguments and 7 bytes of environment (E2BIG); load less, or raise the stack limit that "
        "bounds it"
    )


def test_an_environment_too_large_never_tells_a_value() -> None:
    actual = str(too_large({"OWN": "correct-horse", "LARGE": "battery-staple"}, {"LARGE": origin(B)}))
    assert not [value for value in ("correct-horse", "battery-staple") if value in actual]
