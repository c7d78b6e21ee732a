"""`--licenses`: the licenses of everything inside, from the archive, from its source and from an installed wheel."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from run_lambda_entrypoint import __version__
from run_lambda_entrypoint.reporting.licenses import DEPENDENCIES
from tests.archive.test_contents import LICENSED
from tests.harness.entrypoint import PLAIN, Entrypoint
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SECTION = re.compile("={80}\n(.+): (.+)\n={80}\n\n")


def sections(out: bytes) -> dict[tuple[str, str], str]:
    """The texts by what they are for and the file's name, in order."""
    _, *parts = SECTION.split(out.decode())
    return {(name, file): text.strip() for name, file, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def names(found: Mapping[tuple[str, str], str]) -> list[str]:
    """What the licenses are for, without versions."""
    return list(dict.fromkeys(name.split()[0] for name, _ in found))


def test_an_archive_prints_each_license_inside(entrypoint: Entrypoint) -> None:
    with zipfile.ZipFile(entrypoint.archive) as archive:
        inside = [archive.read(name).decode().strip() for name in archive.namelist() if ".dist-info/" in name]
    ended = entrypoint("--licenses")
    assert (ended.code, sorted(sections(ended.out).values()), ended.err) == (0, sorted(inside), "")


def test_the_licenses_of_an_archive_are_in_order_of_names_ours_first(entrypoint: Entrypoint) -> None:
    expected = sorted(name.replace("_", "-") for name in LICENSED - {"run_lambda_entrypoint"})
    assert names(sections(entrypoint("--licenses").out)) == ["run-lambda-entrypoint", *expected]


def test_what_the_executable_has_in_addition_is_printed_too(entrypoint: Entrypoint, tmp_path: Path) -> None:
    copy = Path(shutil.copyfile(entrypoint.archive, tmp_path / "archive.pyz"))
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("licenses/CPython/LICENSE", "PSF")
        archive.writestr("licenses/musl/COPYRIGHT", "musl: é")
    usual, found = (sections(each("--licenses").out) for each in (entrypoint, Entrypoint(copy)))
    more = {name: text for name, text in found.items() if name not in usual}
    assert more == {("CPython", "LICENSE"): "PSF", ("musl", "COPYRIGHT"): "musl: é"}


def test_the_dependencies_are_those_in_the_archive() -> None:
    assert {"run_lambda_entrypoint", "shiv", *(name.replace("-", "_") for name in DEPENDENCIES)} == LICENSED


def printed(*folders: Path) -> dict[tuple[str, str], str]:
    """What the package in one of these folders prints, with what this interpreter has installed."""
    environ = {**PLAIN, "PYTHONPATH": ":".join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = run([sys.executable, "-m", "run_lambda_entrypoint", "--licenses"], Surroundings(environ))
    assert (ended.status, ended.stderr) == (0, b"")
    return sections(ended.stdout)


def test_from_its_source_it_prints_ours_and_those_of_the_installed_dependencies() -> None:
    found = printed(ROOT / "src")
    assert names(found) == ["run-lambda-entrypoint", *DEPENDENCIES]
    assert next(iter(found.values())) == (ROOT / "LICENSE").read_text().strip()
    assert ("urllib3 " + version("urllib3"), "LICENSE.txt") in found


def test_an_installed_package_prints_its_own_license(entrypoint: Entrypoint, tmp_path: Path) -> None:
    with zipfile.ZipFile(entrypoint.archive) as archive:
        ours = [name for name in archive.namelist() if name.startswith("site-packages/run_lambda_entrypoint")]
        archive.extractall(tmp_path, ours)
    [metadata] = (tmp_path / "site-packages").glob("*.dist-info")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.4\nName: run-lambda-entrypoint\nVersion: {__version__}\n")
    (metadata / "RECORD").write_text(f"{metadata.name}/licenses/LICENSE,,\n")
    found = printed(tmp_path / "site-packages")
    assert next(iter(found)) == (f"run-lambda-entrypoint {__version__}", "LICENSE")
