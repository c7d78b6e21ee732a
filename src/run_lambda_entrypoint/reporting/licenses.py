"""The licenses of everything inside: `--licenses`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from zipfile import ZipFile, is_zipfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    License = tuple[str, str, str]  # what it is for, the file's name, its text

OWN = "run-lambda-entrypoint"
DEPENDENCIES = ("botocore", "jmespath", "python-dateutil", "six", "urllib3")
RULE = 80 * "="
FILES = ("LICENSE", "NOTICE", "COPYING")  # how the names of their files begin


def text() -> str:
    """Each license under a heading that says what it is for, ours first."""
    root, *_ = __file__.rsplit("/", 4)
    found = _archived(root) if is_zipfile(root) else _installed(root)
    ordered = sorted(found, key=lambda each: (not each[0].startswith(OWN), each[0].lower()))
    return "\n\n".join(_section(f"{name}: {file}", content) for name, file, content in ordered)


def _section(heading: str, content: str) -> str:
    return "\n".join([RULE, heading, RULE, "", content.strip("\n"), ""])


def _archived(archive: str) -> Iterator[License]:
    """Those of the packages, and those that the executable has in addition, as licenses/NAME/FILE."""
    with ZipFile(archive) as entries:
        for path in entries.namelist():
            *folders, file = path.split("/")
            if folders[:1] == ["licenses"]:
                name = "/".join(folders[1:])
            elif len(folders) > 1 and folders[1].endswith(".dist-info") and file.startswith(FILES):
                package, _, version = folders[1].removesuffix(".dist-info").rpartition("-")
                name = f"{package.replace('_', '-')} {version}"
            else:
                continue
            yield name, file, entries.read(path).decode("utf-8", "replace")


def _installed(root: str) -> Iterator[License]:
    """Those of the installed packages. Run from its source, ours is in `root`."""
    for name in (OWN, *DEPENDENCIES):
        try:
            package = distribution(name)
        except PackageNotFoundError:
            if name == OWN:
                with open(f"{root}/LICENSE", encoding="utf-8") as file:
                    yield name, "LICENSE", file.read()
            continue
        for path in package.files or ():
            if path.name.startswith(FILES):
                yield f"{name} {package.version}", path.name, path.read_text("utf-8")
