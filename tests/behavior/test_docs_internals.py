"""docs/internals.md: files, versions, numbers and paths are the program's."""

import re
from pathlib import Path

import pytest

from build import BYTECODE_VERSIONS, FLAGS, SHEBANGS
from run_lambda_entrypoint.aws.dial import ATTEMPT_DELAY
from run_lambda_entrypoint.aws.send import MAX_THREADS, PAUSES, PAUSES_WHEN_THROTTLED
from run_lambda_entrypoint.aws.trust import SYSTEM_BUNDLES
from run_lambda_entrypoint.options import SETTINGS
from tests.harness.entrypoint import Entrypoint
from tests.harness.pages import quoted, section, table

PAGE = (Path(__file__).parents[2] / "docs/internals.md").read_text()
TEXT = " ".join(PAGE.split())


def test_each_archive_has_its_shebang_line() -> None:
    rows = [tuple(row[:2]) for row in table(PAGE, "## Which file")[:-1]]
    assert rows == [(f"`{name}`", f"`#!{python} {FLAGS}c…`") for name, python in SHEBANGS.items()]


@pytest.mark.archive_only("the executable has no shebang line")
def test_the_shebang_line_is_that_of_the_archive(entrypoint: Entrypoint) -> None:
    [shown] = re.findall(r"^#!.*$", section(PAGE, "## The shebang line"), re.MULTILINE)
    with entrypoint.archive.open("rb") as archive:
        line = archive.readline().decode().rstrip()
    assert without_place(line) == without_place(shown)


def without_place(line: str) -> str:
    """A shebang line without what differs among archives: the interpreter, and where the first entry ends."""
    return re.sub(r"^#!\S+|(?<=read\()\d+", "", line)


def test_the_versions_with_bytecode_are_those_that_are_built_for() -> None:
    oldest, *others = BYTECODE_VERSIONS
    assert f"bytecode for CPython {others[0]} to {others[-1]}, and for {oldest} that of its own modules only" in TEXT


def test_each_transport_has_a_row() -> None:
    [setting] = [each for each in SETTINGS if each.field == "transport"]
    names = [quoted(row[0])[0] for row in table(PAGE, "## Transports")]
    assert [setting.check(name) for name in names] == names
    assert names[0] == setting.default


def test_the_numbers_of_calls_are_the_programs() -> None:
    assert f"Up to {MAX_THREADS} calls" in TEXT
    assert f"up to {PAUSES[1]:g} s, or {PAUSES_WHEN_THROTTLED[1]:g} s if AWS throttles" in TEXT
    assert f"after {1000 * ATTEMPT_DELAY:g} ms" in TEXT


def test_the_stores_of_an_image_are_those_that_are_read() -> None:
    assert f"`{'` or `'.join(SYSTEM_BUNDLES)}`" in TEXT
