"""Writes the bytecode of packages for the interpreter that runs this; build.py runs it with each one.

python compile_packages.py FOLDER TARGET NAME...: of these packages and modules in FOLDER, by name: whether it is a
package, and its code, marshaled.
"""

import __future__

import ast
import marshal
import sys
from pathlib import Path
from types import CodeType


def main() -> None:
    folder, target, *names = sys.argv[1:]
    modules: dict[str, tuple[bool, bytes]] = {}
    for path in sorted(file for name in names for file in sources(Path(folder, name))):
        *parents, stem = path.relative_to(folder).with_suffix("").parts
        is_package = stem == "__init__"
        name = ".".join(parents if is_package else [*parents, stem])
        code = compiled(path.read_bytes(), str(path.relative_to(folder)))
        modules[name] = (is_package, marshal.dumps(without_lines(code)))
    Path(target).write_bytes(marshal.dumps(modules, 2))  # a format without references, which depend on the process


def sources(path: Path) -> list[Path]:
    return list(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def compiled(source: bytes, name: str) -> CodeType:
    """Level 2 leaves out docstrings, which every start would read. What a module imports from __future__ becomes the
    compiler's flags: the import itself would load a file."""
    tree, flags = ast.parse(source, name), 0
    for statement in list(tree.body):
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            tree.body.remove(statement)
            for alias in statement.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    code: CodeType = compile(tree, name, "exec", flags, dont_inherit=True, optimize=2)
    return code


def without_lines(code: CodeType) -> CodeType:
    """The same code without line numbers, which are a third of it: a table that has none for any instruction
    (https://github.com/python/cpython/blob/3.13/InternalDocs/code_objects.md, "Format of the location table")."""
    if sys.version_info < (3, 11):  # another format
        return code
    constants = tuple(without_lines(each) if isinstance(each, CodeType) else each for each in code.co_consts)
    entries, rest = divmod(len(code.co_code) // 2, 8)
    table = b"\xff" * entries + (bytes([0xF8 | rest - 1]) if rest else b"")
    return code.replace(co_consts=constants, co_linetable=table)


if __name__ == "__main__":
    main()
