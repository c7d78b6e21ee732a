"""Two builds give the same bytes. The second one starts from nothing, which takes minutes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.sources import FOLDER, ROOT
from tests.harness.entrypoint import shell

# Not dist itself: its .gitignore is part of the commit.
LEFT_OUT = shutil.ignore_patterns(".venv", ".cache", "run-lambda-entrypoint*", ".*_cache", ".hypothesis", "__pycache__")


@pytest.mark.timeout(3000)
def test_a_build_from_nothing_elsewhere_later_and_with_another_umask_gives_the_same_bytes(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    executable: Path = pytestconfig.getoption("--archive")
    copy = tmp_path / "a folder" / "of another depth" / "checkout"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    environ = os.environ | {
        "STANDALONE_CACHE": str(tmp_path / "cache"),
        "STANDALONE_SOURCES": str(FOLDER),
        "HOME": str(tmp_path),
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
    }
    build = [sys.executable, "-m", "standalone", "--output", str(tmp_path / "built")]
    subprocess.run([*shell("umask 077"), *build], cwd=copy, env=environ, check=True)
    assert (tmp_path / "built" / executable.name).read_bytes() == executable.read_bytes()
