"""CONTRIBUTING's map is the folder listing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

GIT = shutil.which("git") or ""
ROOT = Path(__file__).parents[2]
WHOLE = ("src", "standalone")
"""The folders of which the map has every file."""


def mapped(listing: str) -> set[str]:
    """The paths of a listing whose folders end with a slash and are indented by two spaces a level."""
    found: set[str] = set()
    folders: list[str] = []
    for line in listing.splitlines():
        indent, names = re.match(r"( *)([^\s,]+(?:, [^\s,]+)*)", line).groups()  # type: ignore[union-attr]
        folders = folders[: len(indent) // 2]
        found |= {"".join([*folders, name]) for name in names.split(", ") if not name.endswith("/")}
        if names.endswith("/"):
            folders.append(names)
            found.add("".join(folders))
    return found


@pytest.mark.skipif(not (GIT and (ROOT / ".git").exists()), reason="this is not a repository, or git is not installed")
def test_the_map_in_contributing_is_the_folder_listing() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    [listing] = re.findall(r"^```\n(src/\n.*?)^```$", page, re.DOTALL | re.MULTILINE)
    tracked = subprocess.run([GIT, "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    files = [Path(file) for file in tracked.stdout.splitlines()]
    expected = {f"{file.parts[0]}/" if len(file.parts) > 1 else file.name for file in files}
    for file in files:
        if file.parts[0] in WHOLE:
            expected |= {f"{folder}/" for folder in file.parents if folder.name} | {str(file)}
    assert mapped(listing) == expected
