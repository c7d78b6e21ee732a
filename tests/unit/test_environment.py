"""The environment, byte for byte: as the kernel gave it, merged, and as execve takes it."""

from __future__ import annotations

import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import run_lambda_entrypoint
from run_lambda_entrypoint.environment import (
    CONFIGURATION,
    Merged,
    Origin,
    encoded,
    merge,
    notes,
    sources,
    too_large,
    warnings,
)
from run_lambda_entrypoint.errors import CombinedError
from run_lambda_entrypoint.references import SECRET, Reference, Wanted
from run_lambda_entrypoint.text import decode, encode
from run_lambda_entrypoint.variables import Value
from tests.harness.process import Surroundings, run

A = Reference("SECRETS_MANAGER_ARN", SECRET, "app")
B = Reference("LAMBDA_ENV_SECRETS_MANAGER_ARN_B", SECRET, "rds", "eu-west-1")

SOURCE = Path(run_lambda_entrypoint.__file__).parents[1]
CHILD = """
import sys
sys.path.append(sys.argv[1])
from run_lambda_entrypoint.environment import encoded, initial_environ
print(list(encoded(initial_environ()).items()))
"""

FROZEN = """
import sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
sys.path.append(sys.argv[1])
from run_lambda_entrypoint.environment import encoded, initial_environ
del opened[:]
sys.frozen = True
print((list(encoded(initial_environ()).items()), opened))
"""

names = st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"0").replace(b"=", b"-"))
values = st.binary().map(lambda value: value.replace(b"\0", b"0"))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def passed_on(environ: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What a process started with exactly `environ` reads and would pass on, in its order."""
    command = [sys.executable, "-IS", "-c", CHILD, str(SOURCE)]
    output = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE).stdout
    entries: list[tuple[bytes, bytes]] = literal_eval(output.decode())
    return entries


@settings(max_examples=20)
@given(st.dictionaries(names, values))
@example({})  # Python would set LC_CTYPE
@example({b"LC_ALL": b"C"})
@example({b"B": b"=b=c=", b"A": b"", b"PYTHONPATH": b"/x", b"PYTHONHOME": b"/y"})
@example({b"A\xff": b"\x80\xfe\n", b"A": "é😀\ud7ff".encode(), b"B": b"\xed\xb2\x80"})
def test_any_environment_is_passed_on_unchanged(environ: dict[bytes, bytes]) -> None:
    assert passed_on(environ) == list(environ.items())


TWICE = [b"LC_ALL=C.UTF-8", b"A=first", b"B=\xff", b"A=second", b"no equals sign", b"=no name"]


def test_the_executable_takes_the_environment_that_main_got_and_opens_no_file() -> None:
    command = [sys.executable, "-IS", "-c", FROZEN, str(SOURCE)]
    ended = run(command, Surroundings(environ=TWICE))
    entries, opened = literal_eval(ended.stdout.decode())
    assert (entries, opened) == ([(b"LC_ALL", b"C.UTF-8"), (b"A", b"first"), (b"B", b"\xff")], [])


@given(st.binary())
def test_any_bytes_survive_as_text(original: bytes) -> None:
    assert encode(decode(original)) == original


@given(st.dictionaries(texts, texts))
def test_text_is_encoded_as_utf_8(environ: dict[str, str]) -> None:
    assert encoded(environ) == {name.encode(): value.encode() for name, value in environ.items()}


def merged(environ: dict[str, str], *loaded: dict[str, str]) -> Merged:
    values = [{name: Value(text, "app", "1", "eu-west-1") for name, text in each.items()} for each in loaded]
    return merge(environ, Wanted([A, B][: len(loaded)]), values)


OWN = {"OWN": "function"}


@pytest.mark.parametrize(
    ("loaded", "changed"),
    [
        (({}, {}), {}),
        (({"NEW": "a"}, {}), {"NEW": "a"}),
        (({"OWN": ""}, {}), {"OWN": ""}),
        (({"OWN": "a"}, {"OWN": "b"}), {"OWN": "b"}),
        (({"SECRETS_MANAGER_ARN": "a"}, {}), {"SECRETS_MANAGER_ARN": "a"}),
    ],
)
def test_later_references_take_precedence(loaded: list[dict[str, str]], changed: dict[str, str]) -> None:
    own = {**OWN, "SECRETS_MANAGER_ARN": "app"}
    assert merged(own, *loaded).environ == {**own, **changed}


def test_an_origin_has_the_reference_and_the_value_that_won_and_what_it_overrides() -> None:
    actual = merged(OWN, {"OWN": "a", "X": "a", "Y": "a"}, {"Y": "b"}).origins
    assert {name: (origin.reference, origin.value.text, origin.overrides) for name, origin in actual.items()} == {
        "OWN": (A, "a", CONFIGURATION),
        "X": (A, "a", ""),
        "Y": (B, "b", str(A)),
    }


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        (({"NEW": "a"}, {"OTHER": "b"}), []),
        (({"OWN": "function"},), [f"{A} overrides OWN, which the function's configuration sets"]),
        (({"NEW": "a"}, {"NEW": "a"}), [f"{B} overrides NEW, which {A} sets"]),
        (({"N\n": "a"}, {"N\n": "b"}), [rf"{B} overrides N\n, which {A} sets"]),
    ],
)
def test_each_override_is_reported(loaded: list[dict[str, str]], expected: list[str]) -> None:
    found = merged(OWN, *loaded)
    assert (found.overridden, warnings(found, "allow"), warnings(found, "warn")) == (expected, [], expected)


def test_with_deny_each_override_is_an_error() -> None:
    found = merged(OWN, {"OWN": "a", "NEW": "a"}, {"NEW": "b"})
    with pytest.raises(CombinedError) as caught:
        warnings(found, "deny")
    expected = [f"{line}; LAMBDA_ENV_ON_OVERRIDE=deny forbids this" for line in found.overridden]
    assert list(map(str, caught.value.reports())) == expected


def test_merging_leaves_the_functions_own_environment_alone() -> None:
    actual = dict(OWN)
    merged(actual, {"OWN": "a", "NEW": "a"})
    assert actual == OWN


def test_an_aws_identity_in_a_secret_is_a_warning_of_one_printable_line() -> None:
    reference = Reference("SECRETS_MANAGER_ARN\n", SECRET, "app")
    origin = Origin(reference, Value("x", "app", "1", "eu-west-1"), "")
    actual = warnings(Merged({}, {"AWS_REGION": origin, "OTHER": origin}, ()), "allow")
    assert actual == [rf"{reference} sets AWS_REGION; the function uses it, run-lambda-entrypoint does not"]
    assert actual[0].isprintable()


NOTHING_SET = "sets no variable: it has no keys, or all of them are null"


def test_a_reference_that_sets_nothing_is_a_warning() -> None:
    found = merged(OWN, {}, {"A": "1"})
    assert (warnings(found, "allow"), found.empty) == ([f"{A} {NOTHING_SET}"], [A])


NAMES = "variables whose names are not valid in a shell (dash drops them)"
ENDS = "variables whose values end with a line break"


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        ({"NAME_1": "x\ny", "_": "", "é": "x"}, [("info", f'{NAMES}: "é"')]),
        ({"db-password": "x", "api.key": "x", "1A": "x"}, [("info", f'{NAMES}: "db-password", "api.key", "1A"')]),
        ({"A": "x\n", "B": "x\r\n", "C": "\r"}, [("debug", f'{ENDS}: "A", "B", "C"')]),
        ({"A": "\ufeffx"}, [("debug", 'variables whose values start with a byte order mark: "A"')]),
        ({"A\n": "\n"}, [("info", rf'{NAMES}: "A\n"'), ("debug", rf'{ENDS}: "A\n"')]),
    ],
)
def test_what_may_surprise_in_a_variable_is_noted(loaded: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert notes(merged({"own-one": "x\n"}, loaded), Wanted([A])) == expected


def test_that_there_is_no_reference_is_noted() -> None:
    assert notes(merged(OWN), Wanted([])) == [("debug", "no reference found")]


def test_a_note_is_bounded() -> None:
    [(_, note)] = notes(merged({}, {f"a-{'x' * 200}-{n}": "x" for n in range(3_000)}), Wanted([A]))
    assert (len(note) < 1_000, note.endswith(" more")) == (True, True)


def test_a_note_has_all_names_if_it_has_to_be_whole() -> None:
    [(_, note)] = notes(merged({}, {f"a-{n}": "x" for n in range(3_000)}), Wanted([A]), whole=True)
    assert note.endswith('"a-2998", "a-2999"')


SHARE_B = f"{B} adds 109 bytes in 1 variable, the largest is B (109 bytes)"
SHARE_A = "secret app (SECRETS_MANAGER_ARN) adds 28 bytes in 2 variables, the largest is LARGE (20 bytes)"


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        ((), "107 bytes of environment (E2BIG)"),
        (({"SMALL": "x", "LARGE": "correct-horse"},), f"135 bytes of environment (E2BIG); {SHARE_A}"),
        (
            ({"SMALL": "x", "LARGE": "correct-horse", "B": "overridden"}, {"B": "x" * 106}),
            f"244 bytes of environment (E2BIG); {SHARE_B}; {SHARE_A}",
        ),
    ],
    ids=["no secret", "secret", "secrets"],
)
def test_an_environment_too_large_names_the_share_of_each_reference(
    loaded: tuple[dict[str, str], ...], expected: str
) -> None:
    what_to_do = "load less, or raise the stack limit (ulimit -s), which bounds both"
    actual = str(too_large(merged({"ÖWN": "x" * 101}, *loaded)))
    assert actual == f"the kernel rejects the arguments and {expected}; {what_to_do}"


def test_what_a_reply_says_of_a_version_is_bounded_in_the_summary() -> None:
    long = "v" * 5_000
    [source] = sources([A], [{"NAME": Value("text", "app", long, long)}])
    assert (len(source["version"]), len(source["region"])) == (100, 100)
