"""CONTRIBUTING's example of a test passes, and the targets that it lists exist."""

import re
import runpy
from pathlib import Path

from tests.conftest import ROOT
from tests.harness.entrypoint import Entrypoint

PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def test_its_example_of_a_test_passes(tmp_path: Path, entrypoint: Entrypoint) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "example.py").write_text(example)
    [test] = [value for name, value in runpy.run_path(str(tmp_path / "example.py")).items() if name.startswith("test_")]
    test(entrypoint)


def test_each_target_that_it_names_exists() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", PAGE, re.MULTILINE))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named - set(targets) == set()
    assert len(named) > 15
