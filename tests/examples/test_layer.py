"""The layer's page and README show the bootstrap that the container tests start."""

from pathlib import Path

import pytest

from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/exec-wrapper-layer"


@pytest.mark.parametrize("page", [ROOT / "README.md", EXAMPLE / "README.md"], ids=["README", "page"])
def test_the_bootstrap_for_os_only_runtimes_is_the_tested_one(page: Path) -> None:
    assert f"```sh\n{(EXAMPLE / 'bootstrap').read_text()}```\n" in page.read_text()
