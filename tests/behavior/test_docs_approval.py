"""docs/approval.md has the versions of CPython that the archives are built for."""

import re
from pathlib import Path

from build import BYTECODE_VERSIONS


def test_each_version_of_cpython_that_is_built_for_has_an_end_of_support() -> None:
    page = (Path(__file__).parents[2] / "docs/approval.md").read_text()
    assert re.findall(r"^\| (3\.\d+) \| October \d{4} \|$", page, re.MULTILINE) == list(BYTECODE_VERSIONS)
