"""Links the interpreter, the frozen standard library, our package and main.c into one static file."""

import marshal
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from standalone.interpreter import CPython
from standalone.sources import ROOT
from standalone.toolchain import LINK_FLAGS, environment, run

MAIN = Path(__file__).with_name("main.c")
BOOTSTRAP = {"_frozen_importlib": "importlib._bootstrap", "_frozen_importlib_external": "importlib._bootstrap_external"}
FIRST = "zipimport"  # main.c leaves it out at the start

Frozen = dict[str, tuple[bool, bytes]]


def freeze(native: CPython, packages: Path) -> Frozen:
    """The modules of the standard library that the packages can import."""
    target = packages.with_name("frozen")
    words = [
        str(native.python),
        "-SB",
        "-m",
        "standalone.freeze",
        str(native.sources / "Lib"),
        str(packages),
        str(target),
    ]
    subprocess.run(words, cwd=ROOT, env={"PYTHONHASHSEED": "0"}, check=True)
    found: Frozen = marshal.loads(target.read_bytes())  # noqa: S302 - our own
    return found


def link(interpreter: CPython, architecture: str, frozen: Frozen, package: bytes) -> bytes:
    """The executable, without the archive. Raises BuildError."""
    environ = environment(architecture)
    with TemporaryDirectory(dir=interpreter.folder) as name:
        folder = Path(name)
        write_frozen(frozen, package, folder)
        shutil.copyfile(MAIN, folder / "main.c")
        variables = ("PY_CORE_CFLAGS", "LIBRARY", "MODLIBS", "LIBS", "SYSLIBS")
        flags, *libraries = make_variables(interpreter.folder, environ, variables)
        here = folder.name
        objects = [f"{here}/main.o", f"{here}/frozen.o"]
        for compiled in objects:
            words = ["standalone-cc", *flags.split(), "-c", "-o", compiled, compiled.replace(".o", ".c")]
            run(words, interpreter.folder, environ)
        # Before the libraries, so that what is defined here is not looked for there.
        words = ["standalone-cc", *LINK_FLAGS.split(), "-o", f"{here}/linked", *objects, *" ".join(libraries).split()]
        run(words, interpreter.folder, environ)
        return (folder / "linked").read_bytes()


def make_variables(folder: Path, environ: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """What CPython's Makefile knows of compiling and linking."""
    script = "include Makefile\nshow:\n" + "".join(f"\t@echo '$({name})'\n" for name in names)
    words = ["make", "--silent", "--file=-", "show"]
    return subprocess.run(
        words, input=script, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()


def write_frozen(frozen: Frozen, package: bytes, folder: Path) -> None:
    """Write frozen.c, instead of CPython's Python/frozen.c, and what it includes."""
    blob, places = bytearray(), {}
    for name, (_, code) in frozen.items():
        places[name] = len(blob), len(code)
        blob += code.ljust(-len(code) // 16 * -16, b"\0")
    (folder / "library.bin").write_bytes(blob)
    (folder / "package.bin").write_bytes(package)

    def row(name: str, module: str) -> str:
        offset, size = places[module]
        return f'    {{"{name}", library + {offset}, {size}, {int(frozen[module][0])}}},\n'

    others = [name for name in frozen if name not in (FIRST, *BOOTSTRAP.values())]
    (folder / "frozen.c").write_text(
        FROZEN.format(
            folder=folder.name,
            package_size=len(package),
            bootstrap="".join(row(name, module) for name, module in BOOTSTRAP.items()),
            aliases="".join(f'    {{"{name}", "{module}"}},\n' for name, module in BOOTSTRAP.items()),
            library="".join(row(name, name) for name in (FIRST, *others)),
        ),
        "ascii",
    )


FROZEN = """\
#include <Python.h>
#include <internal/pycore_import.h>

__asm__(
    ".section .rodata\\n"
    ".balign 16\\nlibrary: .incbin \\"{folder}/library.bin\\"\\n"
    ".balign 16\\n.globl package\\npackage: .incbin \\"{folder}/package.bin\\"\\n"
    ".previous\\n");
extern const unsigned char library[];
const Py_ssize_t package_size = {package_size};

static const struct _frozen bootstrap[] = {{
{bootstrap}    {{0, 0, 0, 0}}}};
const struct _frozen standard_library[] = {{
{library}    {{0, 0, 0, 0}}}};
static const struct _frozen none[] = {{{{0, 0, 0, 0}}}};
static const struct _module_alias aliases[] = {{
{aliases}    {{0, 0}}}};
const struct _frozen *_PyImport_FrozenBootstrap = bootstrap, *_PyImport_FrozenStdlib = none, *_PyImport_FrozenTest = none;
const struct _module_alias *_PyImport_FrozenAliases = aliases;
const struct _frozen *PyImport_FrozenModules;
"""
