"""Finds the modules of the standard library that the packages in a folder can import, and freezes them.

python freeze.py LIBRARY PACKAGES TARGET, by the interpreter that they are frozen for: writes to TARGET the modules'
names, whether each is a package, and its code; marshaled, as compile_packages.py does.
"""

import ast
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compile_packages import compiled, without_lines

# What C imports, which no source in Python shows: at the start, for names of encodings, in datetime.strptime.
BY_C = (
    "_strptime",
    "encodings",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "io",
    "traceback",
    "zipimport",
)
# Those of JSON, of the names of hosts and of entries in zip archives, of HTTP's headers.
UNICODE = (f"utf_{width}{order}" for width in (16, 32) for order in ("", "_be", "_le"))
CODECS = ("ascii", "cp437", "idna", "latin_1", "utf_8", "utf_8_sig", *UNICODE)
# Imported by functions that nothing here calls, to test, to debug, to document; or their halves in C are not built in.
SKIPPED = ("asyncio", "ctypes", "doctest", "multiprocessing", "pdb", "pydoc", "test", "tkinter", "unittest")


def main() -> None:
    library, packages, target = map(Path, sys.argv[1:])
    found = dict(sorted(closure(library, packages)))
    target.write_bytes(marshal.dumps(found, 2))


def closure(library: Path, packages: Path) -> Iterator[tuple[str, tuple[bool, bytes]]]:
    """The modules of `library` that are imported anywhere in `packages`, or in one of themselves."""
    names = {*BY_C, *(f"encodings.{name}" for name in CODECS)}
    for path in packages.rglob("*.py"):
        names |= imports(path, path.relative_to(packages))
    seen: set[str] = set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        path = library / name.replace(".", "/")
        is_package = path.is_dir()
        path = path / "__init__.py" if is_package else path.with_suffix(".py")
        if path.is_file() and name.partition(".")[0] not in SKIPPED:
            names |= {name.rpartition(".")[0], *imports(path, path.relative_to(library))}
            yield name, (is_package, frozen(path, name))


def imports(path: Path, place: Path) -> set[str]:
    """The names that a module imports, inside functions too, and what may be modules in these; `place` is its own."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = place.parts[: len(place.parts) - node.level] if node.level else ()
            module = ".".join([*parents, *filter(None, [node.module])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def frozen(path: Path, name: str) -> bytes:
    """A module's code, without what no start needs."""
    source = path.read_bytes()
    if name == "encodings.aliases":  # of 300 encodings: each start would make a dict of them
        scope: dict[str, Any] = {}
        exec(source, scope)  # noqa: S102 - the standard library's
        kept = {alias: codec for alias, codec in scope["aliases"].items() if codec in CODECS}
        source = f"aliases = {kept!r}".encode()
    return marshal.dumps(without_lines(compiled(source, f"<frozen {name}>")))


if __name__ == "__main__":
    main()
