"""docs/verify.md: what runs offline does what the page says, and the files and commands that it names exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from build import SUMS
from release import KINDS
from tests.harness.entrypoint import Entrypoint

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/verify.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
[CHECK] = [block for block in BLOCKS if block.startswith("sha256sum")]
ARCHIVE = "run-lambda-entrypoint.pyz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a built archive and the sums of all of them."""
    for name in (ARCHIVE, SUMS):
        shutil.copyfile(ROOT / "dist" / name, tmp_path / name)
    return tmp_path


def check(folder: Path) -> int:
    return subprocess.run(["/bin/sh", "-ec", CHECK], cwd=folder, capture_output=True).returncode


def test_the_check_accepts_a_whole_file_and_makes_it_executable(folder: Path) -> None:
    assert check(folder) == 0
    assert (folder / ARCHIVE).stat().st_mode & 0o777 == 0o755


def test_the_check_refuses_a_file_with_one_other_byte(folder: Path) -> None:
    content = bytearray((folder / ARCHIVE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / ARCHIVE).write_bytes(content)
    assert check(folder) != 0
    assert (folder / ARCHIVE).stat().st_mode & 0o111 == 0


def test_the_table_has_the_files_of_a_release() -> None:
    table = PAGE.split("## What a release holds")[1].split("\n\nThe image")[0]
    names = set(re.findall("`(.+?)`", "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("|"))))
    files = {name for kind, names in KINDS.items() if kind != "package" for name in names}
    assert names == {*files, "*.whl", "*.tar.gz", "*.cdx.json", SUMS, "*.sigstore.json"}


def test_the_workflow_and_the_target_that_the_page_names_exist() -> None:
    workflows = set(re.findall(r"\.github/workflows/\w+\.yml", PAGE))
    assert [name for name in workflows if not (ROOT / name).exists()] == []
    targets = re.findall(r"^make (\w+)$", PAGE, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert (targets, [name for name in targets if f"\n{name}:" not in makefile]) == (["rebuild"], [])


@pytest.mark.parametrize("option", ["--version", "--licenses"])
def test_a_file_can_be_asked_what_is_inside(entrypoint: Entrypoint, option: str) -> None:
    assert f"./{ARCHIVE} {option}\n" in PAGE
    ended = entrypoint(option)
    assert (ended.code, ended.err) == (0, "")
    assert b"OpenSSL" in ended.out or b"Apache License" in ended.out


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_is_valid_shell(block: str) -> None:
    ended = subprocess.run(["/bin/sh", "-n"], input=block, text=True, capture_output=True)
    assert (ended.returncode, ended.stderr) == (0, "")
