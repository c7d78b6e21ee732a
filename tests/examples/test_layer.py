"""The layer's zip, as its script makes it."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "examples/exec-wrapper-layer/make-layer.sh"


@pytest.fixture
def content() -> bytes:
    return b"#!/var/lang/bin/python3 -ISB\nwhat follows is an archive\n"


@pytest.fixture
def layer(tmp_path: Path, content: bytes) -> Path:
    """A zip made by a user with a strict umask, of an archive that is not executable."""
    (tmp_path / "archive.pyz").write_bytes(content)
    command = ["/bin/sh", "-c", 'umask 077; exec "$@"', "sh", str(SCRIPT), "archive.pyz", "made.zip"]
    subprocess.run(command, cwd=tmp_path, check=True)
    return tmp_path / "made.zip"


def test_it_holds_the_archive_as_it_is(layer: Path, content: bytes) -> None:
    with zipfile.ZipFile(layer) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}

    assert held == {"run-lambda-entrypoint.pyz": content}


def test_its_entry_is_executable_for_everybody(layer: Path) -> None:
    with zipfile.ZipFile(layer) as opened:
        [entry] = opened.infolist()

    assert entry.external_attr >> 16 == 0o100755
