"""Finds the modules of the standard library that the packages in a folder can import, and freezes them.

python freeze.py LIBRARY PACKAGES TARGET, by the interpreter that they are frozen for: writes to TARGET the modules'
names, whether each is a package, and its code; marshaled, as compile_packages.py does.
"""

import ast
import marshal
import sys
from collections.abc import Collection, Iterator
from encodings.aliases import aliases
from pathlib import Path

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
# Codecs that no source names where it uses them: of JSON, of entries in zip archives.
UNICODE = (f"utf_{width}{order}" for width in (16, 32) for order in ("", "_be", "_le"))
CODECS = ("ascii", "cp437", "latin_1", "utf_8", "utf_8_sig", *UNICODE)
# Imported by functions that nothing here calls, to test, to debug, to document; or their halves in C are not built in.
SKIPPED = ("asyncio", "ctypes", "doctest", "multiprocessing", "pdb", "pydoc", "test", "tkinter", "unittest")


def main() -> None:
    library, packages, target = map(Path, sys.argv[1:])
    paths = closure(library, packages)
    found = {name: (path.name == "__init__.py", frozen(path, name, paths)) for name, path in sorted(paths.items())}
    target.write_bytes(marshal.dumps(found, 2))


def closure(library: Path, packages: Path) -> dict[str, Path]:
    """The modules of `library` that are imported anywhere in `packages`, or in one of themselves."""
    names = {*BY_C, *map(codec, CODECS)}
    for path in packages.rglob("*.py"):
        names |= imports(path, path.relative_to(packages))
    found: dict[str, Path] = {}
    seen: set[str] = set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        path = library / name.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.is_file() and name.partition(".")[0] not in SKIPPED:
            names |= {name.rpartition(".")[0], *imports(path, path.relative_to(library))}
            found[name] = path
    return found


def imports(path: Path, place: Path) -> set[str]:
    """The names that a module imports, inside functions too, and what may be modules in these; `place` is its own.

    With the codecs that it calls by their names, as in `text.encode("idna")`.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = place.parts[: len(place.parts) - node.level] if node.level else ()
            module = ".".join([*parents, *filter(None, [node.module])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call):
            found |= {codec(name) for name in codecs(node)}
    return found


def codecs(call: ast.Call) -> Iterator[str]:
    """The name of the codec that a call of encode() or decode() shows, if it shows one."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("encode", "decode"):
        for value in (*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "encoding")):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                yield value.value


def codec(name: str) -> str:
    """The module of a codec by any of its names."""
    normalized = name.lower().replace("-", "_")
    return f"encodings.{aliases.get(normalized, normalized)}"


def frozen(path: Path, name: str, names: Collection[str]) -> bytes:
    """A module's code, without what no start needs."""
    source = path.read_bytes()
    if name == "encodings.aliases":  # of 300 encodings: each start would make a dict of them
        kept = {alias: module for alias, module in aliases.items() if f"encodings.{module}" in names}
        source = f"aliases = {kept!r}".encode()
    return marshal.dumps(without_lines(compiled(source, f"<frozen {name}>")))


if __name__ == "__main__":
    main()
