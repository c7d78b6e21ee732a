"""The layer: the executable in a zip that Lambda unpacks to /opt, the same bytes whoever makes it."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.containers.engine import ROOT
from tests.harness.entrypoint import shell
from tests.harness.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standalone.tools import Tools

LAYER = f"run-lambda-entrypoint-layer-{platform.machine()}.zip"


def make(folder: Path, executable: Path, umask: str, **environ: str) -> bytes:
    """The layer that `layer.py` makes in `folder`."""
    folder.mkdir()
    shutil.copyfile(executable, folder / executable.name)
    os.utime(folder / executable.name, (1_000_000_000 + int(umask), 1_000_000_000))
    command = [*shell(f"umask {umask}"), sys.executable, "layer.py", "--folder", str(folder), platform.machine()]
    subprocess.run(command, cwd=ROOT, env=os.environ | environ, check=True)
    return (folder / LAYER).read_bytes()


@pytest.fixture(scope="module")
def layer(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer made by a user with a strict umask, of an executable that has lost its mode."""
    folder = tmp_path_factory.mktemp("layer") / "dist"
    make(folder, executable, "077")
    return folder / LAYER


def test_a_second_build_with_another_umask_time_zone_and_file_time_gives_the_same_bytes(
    executable: Path, tmp_path: Path
) -> None:
    first = make(tmp_path / "first", executable, "022", TZ="UTC")
    second = make(tmp_path / "second in another folder", executable, "077", TZ="Asia/Tokyo")

    assert first == second


def test_it_holds_the_executable_alone(layer: Path, executable: Path) -> None:
    with zipfile.ZipFile(layer) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}

    assert held == {"run-lambda-entrypoint": executable.read_bytes()}


def test_its_entry_is_a_file_that_everyone_can_execute(layer: Path) -> None:
    with zipfile.ZipFile(layer) as opened:
        [entry] = opened.infolist()

    assert (entry.create_system, stat.filemode(entry.external_attr >> 16)) == (3, "-rwxr-xr-x")


def test_its_unzipped_file_runs(layer: Path, tools: Tools, tmp_path: Path, executable: Path) -> None:
    subprocess.run([*tools.unzip, "-q", layer, "-d", tmp_path / "opt"], check=True)
    ended = run([tmp_path / "opt/run-lambda-entrypoint", "--version"])

    assert (ended.status, ended.stdout) == (0, run([executable, "--version"]).stdout)


def test_the_checksums_cover_it(layer: Path) -> None:
    ended = subprocess.run(["/usr/bin/sha256sum", "--check", "SHA256SUMS"], cwd=layer.parent, capture_output=True)

    assert f"{LAYER}: OK\n" in ended.stdout.decode()


def test_a_missing_executable_is_named(tmp_path: Path) -> None:
    ended = run([sys.executable, ROOT / "layer.py", "--folder", tmp_path, "aarch64"])

    missing = f"{tmp_path}/run-lambda-entrypoint-aarch64 is missing"
    assert (ended.status, ended.stderr.decode()) == (
        1,
        f"layer.py: {missing}; make it with `make standalone ARCHITECTURES=aarch64`\n",
    )
