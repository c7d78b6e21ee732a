"""The pages that show commands and files: what stands there can be read, and no example is forgotten."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from image import VERSION
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
PAGES = [ROOT / "README.md", ROOT / "docs/local.md", *sorted(EXAMPLES.rglob("README.md"))]


def blocks(*languages: str) -> Iterator[tuple[Path, str, str]]:
    """Each of the pages' blocks in one of these languages: its page, its language, its text."""
    for page in PAGES:
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE):
            if language in languages:
                yield page, language, text


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_each_block_of_commands_is_valid_in_a_shell() -> None:
    checked = 0
    for page, _, text in blocks("sh"):
        ended = subprocess.run([str(shutil.which("bash")), "-n"], input=text, capture_output=True, text=True)
        assert (page, ended.stderr) == (page, "")
        checked += 1
    assert checked > 10


def test_each_block_of_data_is_valid() -> None:
    read = [
        json.loads(text) if language == "json" else yaml.safe_load(text) for _, language, text in blocks("json", "yaml")
    ]
    assert all(isinstance(document, dict) for document in read)
    assert len(read) > 2


def test_each_example_is_in_the_list() -> None:
    listed = re.findall(r"\(([\w-]+)/README\.md\) \|", (EXAMPLES / "README.md").read_text())
    assert sorted(listed) == sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))


@pytest.mark.parametrize("folder", sorted(EXAMPLES.glob("secret-reflector-*")), ids=lambda folder: folder.name)
def test_each_page_names_its_own_example(folder: Path) -> None:
    assert re.findall(r"`example=([\w-]+)`", (folder / "README.md").read_text()) == [folder.name]


def test_each_image_that_is_copied_from_is_of_this_version() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *EXAMPLES.rglob("*.md"), *EXAMPLES.rglob("Dockerfile")]
    named = {file: re.findall(r"ghcr\.io/\w+/run-lambda-entrypoint:([\w.-]+)", file.read_text()) for file in files}
    assert {version for versions in named.values() for version in versions} == {VERSION}
    assert EXAMPLES / "secret-reflector-go/Dockerfile" in {file for file, versions in named.items() if versions}
