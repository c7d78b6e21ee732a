"""A commit's archives are the same bytes wherever and whenever they are built, and so is all that a release holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from build import BYTECODE_VERSIONS, INTERPRETERS, SHEBANGS, SUMS, interpreters, notice
from image import VERSION
from tests.harness.entrypoint import Entrypoint

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PARTS = [
    *(".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "build.py", "compile_packages.py", "pyproject.toml"),
    *("image.py", "release.py", "requirements", "src", "standalone"),
]
MADE = shutil.ignore_patterns("__pycache__")
UNLIKE = {"LC_ALL": "C", "PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati"}

NO_CONFIGURATION = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
"""For git: this machine's configuration may have hooks."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")]


def call(folder: Path, *words: str | Path, umask: int = 0o022, **environ: str) -> str:
    """What a program that is started in `folder` prints. Builds need the caller's environment: PATH, pip's settings.

    Variables that change what git, Python or a build does are left out, PYTHONDONTWRITEBYTECODE among them: it would
    hide that files appear in the checkout.
    """
    unwanted = ("GIT_", "PYTHON", "SOURCE_DATE_EPOCH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment = kept | NO_CONFIGURATION | environ
    ended = subprocess.run(words, cwd=folder, env=environment, umask=umask, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def git(folder: Path, *words: str) -> str:
    someone = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    return call(folder, "git", *someone, *words)


def python(folder: Path, code: str) -> str:
    return call(folder, sys.executable, "-c", code)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit, which holds what is in this one now."""
    folder = tmp_path / "first"
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=MADE)
        else:
            shutil.copyfile(ROOT / part, folder / part)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=All of it")
    return folder


def built_twice(checkout: Path) -> tuple[Path, Path]:
    """The folders of two builds of that commit that have nothing else in common."""
    other = checkout.parent / "in another, ünlike folder"
    git(checkout, "clone", "--quiet", ".", str(other))
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    for folder in (checkout, other):  # with the interpreters that were unpacked here
        unpacked = folder / INTERPRETERS.relative_to(ROOT)
        unpacked.parent.mkdir()
        unpacked.symlink_to(INTERPRETERS)

    def build(folder: Path, umask: int, environ: Mapping[str, str]) -> Path:
        output = folder.parent / f"output of {folder.name}"
        call(folder, sys.executable, "build.py", "--output", output, umask=umask, **environ)
        return output

    with ThreadPoolExecutor() as pool:
        first = pool.submit(build, checkout, 0o022, {})
        second = pool.submit(build, other, 0o077, UNLIKE)
        return first.result(), second.result()


@pytest.mark.timeout(600)
def test_two_builds_of_a_commit_are_the_same_bytes_and_so_is_their_bill_of_materials(checkout: Path) -> None:
    first, second = built_twice(checkout)
    assert sorted(path.name for path in first.iterdir()) == sorted([*SHEBANGS, SUMS])
    for name in [*SHEBANGS, SUMS]:
        assert (first / name).read_bytes() == (second / name).read_bytes()
        assert (first / name).stat().st_mode == (second / name).stat().st_mode

    commit = git(checkout, "rev-parse", "HEAD")
    shown = Entrypoint(first / "run-lambda-entrypoint.pyz")("--version").out.decode()
    assert shown.splitlines()[0] == f"run-lambda-entrypoint {VERSION} (commit {commit[:12]})"

    calls = (f"release.bill_of_materials(Path({str(build)!r}), 'archive', [])" for build in (first, second))
    answers = ", ".join([*calls, "list(release.LICENSES)"])
    text, again, licenses = json.loads(
        python(checkout, f"import json, release; from pathlib import Path; print(json.dumps([{answers}]))")
    )
    assert text == again
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    archive, parts = bill["metadata"]["component"], bill["components"]
    assert [archive["name"], *(part["name"] for part in parts)] == sorted(licenses, key=order)
    assert all(part["licenses"] for part in [archive, *parts])
    assert [file["name"] for file in archive["components"]] == sorted(SHEBANGS)
    told = {entry["name"].partition(":")[2]: entry["value"] for entry in bill["metadata"]["properties"]}
    assert told.pop("commit") == commit
    assert set(told) == {f"bytecode:{python.tag}" for python in interpreters().values()}


def order(name: str) -> tuple[bool, str]:
    """Ours first."""
    return name != "run-lambda-entrypoint", name


@pytest.mark.parametrize("unpacked", ["", "#!/nonexistent/loader"], ids=["none", "one that cannot run"])
def test_no_release_is_built_without_all_interpreters(tmp_path: Path, unpacked: str) -> None:
    shutil.copyfile(ROOT / "build.py", tmp_path / "build.py")
    others = [version for version in BYTECODE_VERSIONS if version != f"3.{sys.version_info.minor}"]
    if unpacked:
        python = tmp_path / INTERPRETERS.relative_to(ROOT) / f"debian/usr/bin/python{others[0]}"
        python.parent.mkdir(parents=True)
        python.write_text(unpacked)
        python.chmod(0o755)
    nothing = {"PATH": "/nonexistent", "PYENV_ROOT": "/nonexistent"}
    ended = subprocess.run(
        [sys.executable, "build.py", "--release"], cwd=tmp_path, env=nothing, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", f"{notice(others)}\n")


def test_the_version_tells_of_changes_and_of_a_missing_repository(checkout: Path, tmp_path: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    git(checkout, "clone", "--quiet", ".", str(tmp_path / "clone"))
    (tmp_path / "clone/new").touch()
    git(tmp_path, "init", "--quiet")  # a repository around it is none of its own
    folder = shutil.copytree(tmp_path / "clone", tmp_path / "copy", ignore=lambda *_: [".git"])

    say = "import build; print(build.commit(), build.commit_date())"
    assert python(tmp_path / "clone", say).split()[0] == f"{commit}+dirty"
    assert python(folder, say) == "unknown 315532800"


def test_no_release_is_made_of_what_is_no_clean_tag_or_not_in_the_changelog(checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    git(checkout, "clone", "--quiet", ".", str(folder))
    say = "import release; print(*release.obstacles(), sep='\\n')"
    changelog = folder / "CHANGELOG.md"
    released = f"## [{VERSION}] - "
    changelog.write_text(changelog.read_text("utf-8").replace(released, "") + "\nmore\n", "utf-8")

    dirty, untagged, unwritten = python(folder, say).splitlines()
    assert ("+dirty" in dirty, f"no tag v{VERSION}" in untagged, "CHANGELOG.md" in unwritten) == (True,) * 3

    changelog.write_text(f"{changelog.read_text('utf-8')}\n{released}2026-01-01\n", "utf-8")
    git(folder, "commit", "--quiet", "--all", "--message=Release")
    git(folder, "tag", f"v{VERSION}")
    assert python(folder, say) == ""
