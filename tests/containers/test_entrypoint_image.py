"""The image to `COPY --from`: what is in it for each platform, and the same bytes whoever makes it."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from build import SHEBANGS
from image import NAME, PLATFORMS, VERSION
from tests.containers.builders import ENTRYPOINT_IMAGE
from tests.containers.engine import ROOT, Docker
from tests.harness.entrypoint import shell

DIST = ROOT / "dist"
# This machine's, and the other one where it was built.
EXECUTABLES = {
    architecture: DIST / f"{NAME}-{architecture}"
    for architecture in PLATFORMS
    if architecture == platform.machine() or (DIST / f"{NAME}-{architecture}").exists()
}


@dataclass(frozen=True)
class Layout:
    """An OCI layout in a tar."""

    file: Path

    def index(self) -> Any:
        """The image index that has the version's name."""
        with tarfile.open(self.file) as opened:
            [named] = json.load(opened.extractfile("index.json") or sys.stdin)["manifests"]
        assert named["annotations"] == {"org.opencontainers.image.ref.name": VERSION}
        return json.loads(self.blob(named["digest"]))

    def blob(self, digest: str) -> bytes:
        with tarfile.open(self.file) as opened:
            content = opened.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert content is not None
            return content.read()

    def files(self, architecture: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        """What the one layer of a platform's image holds."""
        name = PLATFORMS[architecture].removeprefix("linux/")
        [found] = [each for each in self.index()["manifests"] if each["platform"]["architecture"] == name]
        [layer] = json.loads(self.blob(found["digest"]))["layers"]
        unpacked = self.file.with_name("layer")
        unpacked.write_bytes(self.blob(layer["digest"]))
        with tarfile.open(unpacked) as opened:
            for entry in opened:
                content = opened.extractfile(entry)
                yield entry, content.read() if content else b""


def make(folder: Path, umask: str, **environ: str) -> Path:
    """The image that `image.py` makes of what is in dist/, in `folder`."""
    folder.mkdir()
    for file in (*(DIST / name for name in SHEBANGS), *EXECUTABLES.values()):
        shutil.copyfile(file, folder / file.name)
        os.utime(folder / file.name, (1_000_000_000 + int(umask), 1_000_000_000))
    command = [*shell(f"umask {umask}"), sys.executable, "image.py", "--folder", str(folder), *EXECUTABLES]
    subprocess.run(command, cwd=ROOT, env=os.environ | environ, check=True)
    return folder / "image.tar"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """An image made by a user with a strict umask."""
    return Layout(make(tmp_path_factory.mktemp("image") / "dist", "077", TZ="Asia/Tokyo", LC_ALL="C"))


def test_a_second_build_with_another_umask_time_zone_file_time_and_settings_gives_the_same_bytes(
    layout: Layout, tmp_path: Path
) -> None:
    second = make(tmp_path / "second in another folder", "022", TZ="UTC", BUILDAH_FORMAT="docker")

    assert hashlib.sha256(layout.file.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()


def test_it_has_a_platform_for_each_executable(layout: Layout) -> None:
    platforms = [f"{each['platform']['os']}/{each['platform']['architecture']}" for each in layout.index()["manifests"]]

    assert platforms == [PLATFORMS[architecture] for architecture in EXECUTABLES]


@pytest.mark.parametrize("architecture", EXECUTABLES)
def test_a_platform_has_its_executable_the_archives_licenses_and_sums(layout: Layout, architecture: str) -> None:
    found = {entry.name: content for entry, content in layout.files(architecture) if entry.isfile()}

    expected = {name: (DIST / name).read_bytes() for name in SHEBANGS}
    expected[NAME] = EXECUTABLES[architecture].read_bytes()
    assert found == {**expected, "LICENSES": found["LICENSES"], "SHA256SUMS": found["SHA256SUMS"]}


@pytest.mark.parametrize("architecture", EXECUTABLES)
def test_all_belongs_to_root_and_what_is_to_run_is_executable(layout: Layout, architecture: str) -> None:
    found = {
        entry.name: (entry.mode & 0o7777, entry.uid, entry.gid)
        for entry, _ in layout.files(architecture)
        if entry.isfile()
    }

    programs = dict.fromkeys((NAME, *SHEBANGS), (0o755, 0, 0))
    assert found == {**programs, "LICENSES": (0o644, 0, 0), "SHA256SUMS": (0o644, 0, 0)}


def test_its_sums_are_those_of_its_files(layout: Layout, tmp_path: Path) -> None:
    for entry, content in layout.files(platform.machine()):
        if entry.isfile():
            (tmp_path / entry.name).write_bytes(content)

    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True)
    assert (checked.returncode, len(checked.stdout.splitlines())) == (0, len(SHEBANGS) + 2)


@pytest.mark.parametrize("architecture", EXECUTABLES)
def test_its_licenses_are_those_of_the_executable_too(layout: Layout, architecture: str) -> None:
    [text] = [content.decode() for entry, content in layout.files(architecture) if entry.name == "LICENSES"]

    assert [
        name for name in ("run-lambda-entrypoint", "botocore", "CPython", "OpenSSL", "musl") if name not in text
    ] == []


def test_the_loaded_images_executable_starts(docker: Docker) -> None:
    said = docker("run", "--rm", "--network=host", ENTRYPOINT_IMAGE, f"/{NAME}", "--version")

    assert said.split()[:2] == [NAME, VERSION]


def test_without_buildah_the_program_says_what_to_install(tmp_path: Path) -> None:
    command = [sys.executable, "image.py", "--folder", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (
        1,
        "image.py: buildah is missing; on Debian and Ubuntu, run `apt-get install buildah`\n",
    )


@pytest.mark.parametrize(
    ("there", "name", "target"),
    [
        ("run-lambda-entrypoint-x86_64", "run-lambda-entrypoint.pyz", "dist"),
        ("run-lambda-entrypoint.pyz", "run-lambda-entrypoint-x86_64", "standalone ARCHITECTURES=x86_64"),
    ],
    ids=["an archive", "an executable"],
)
def test_without_a_file_the_program_says_how_to_make_it(tmp_path: Path, there: str, name: str, target: str) -> None:
    (tmp_path / there).touch()
    command = [sys.executable, "image.py", "--folder", str(tmp_path), "x86_64"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (
        1,
        f"image.py: {tmp_path}/{name} is missing; make it with `make {target}`\n",
    )
