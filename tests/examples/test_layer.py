"""The layer's page shows the bootstrap that the container tests start, and README its command."""

from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/exec-wrapper-layer"
BOOTSTRAP = (EXAMPLE / "bootstrap").read_text()


def test_the_page_shows_the_tested_bootstrap() -> None:
    assert f"```sh\n{BOOTSTRAP}```\n" in (EXAMPLE / "README.md").read_text()


def test_readme_shows_its_command() -> None:
    assert f"`{BOOTSTRAP.splitlines()[-1]}`" in (ROOT / "README.md").read_text()
