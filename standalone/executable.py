"""Links the interpreter, the frozen standard library, our package and main.c into one static file."""

import hashlib
import marshal
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from standalone.interpreter import CPython
from standalone.sources import ROOT
from standalone.toolchain import built, environment, run

MAIN = Path(__file__).with_name("main.c")
BOOTSTRAP = {"_frozen_importlib": "importlib._bootstrap", "_frozen_importlib_external": "importlib._bootstrap_external"}
FIRST = "zipimport"  # main.c leaves it out at the start
# relr: 41,000 relocations are 14 KB instead of a megabyte. `zig cc` does not let that through, nor -Map, and takes 7 s.
LINK_FLAGS = (
    "-static -pie -z relro -z now -z noexecstack --gc-sections --strip-all --pack-dyn-relocs=relr --build-id=none"
)
PARTS = {  # of the executable: what the linker's map calls the files that they come from
    "standard library and package, frozen": r"frozen\.o",
    "CPython": r"libpython|main\.o",
    "OpenSSL": "libssl|libcrypto",
    "expat": "libexpat",
    "libmpdec": "libmpdec",
    "HACL*": "libHacl",
    "zlib": r"libz\.a",
    "musl and the compiler's runtime": r"libc\.a|libzigc|libcompiler_rt|rcrt1",
}

Frozen = dict[str, tuple[bool, bytes]]


def freeze(native: CPython, packages: Path) -> Frozen:
    """The modules of the standard library that the packages can import."""

    def build(folder: Path) -> None:
        words: list[str | Path] = [
            native.python,
            "-SB",
            "-Xpycache_prefix=/nonexistent",  # marshal's references depend on whether a .pyc was read
            "-m",
            "standalone.freeze",
            native.sources / "Lib",
            packages,
            folder / "library",
        ]
        subprocess.run(words, cwd=ROOT, env={"PYTHONHASHSEED": "0"}, check=True)

    read = sorted([*packages.rglob("*.py"), ROOT / "compile_packages.py", Path(__file__).with_name("freeze.py")])
    folder = built("library", [native.folder.name, *(path.read_text("utf-8") for path in read)], build)
    found: Frozen = marshal.loads((folder / "library").read_bytes())  # noqa: S302 - our own
    return found


def link(interpreter: CPython, architecture: str, frozen: Frozen, package: bytes) -> Path:
    """The folder with the executable (`linked`), without the archive, and the linker's map. Raises BuildError."""

    def build(folder: Path) -> None:
        environ = environment(architecture)
        write_frozen(frozen, package, folder)
        shutil.copyfile(MAIN, folder / "main.c")
        variables = make_variables(interpreter.folder, environ, ("PY_CORE_CFLAGS", "LIBRARY", "MODLIBS"))
        here = f"../{folder.name}"  # CPython's flags are for its own folder
        objects = [f"{here}/main.o", f"{here}/frozen.o"]
        for compiled in objects:
            words = ["standalone-cc", *variables["PY_CORE_CFLAGS"], f"-I{here}", "-c", "-o", compiled]
            run([*words, compiled.replace(".o", ".c")], interpreter.folder, environ)
        start, *runtime = runtime_files(folder, environ)
        # What is defined in our objects is not looked for in the libraries behind them.
        libraries = [word for word in variables["LIBRARY"] + variables["MODLIBS"] if word != "-lm"]
        words = ["standalone-ld", *LINK_FLAGS.split(), f"-Map={here}/map", "-o", f"{here}/linked"]
        run([*words, start, *objects, *libraries, *runtime], interpreter.folder, environ)

    ingredients = [
        interpreter.folder.name,
        hashlib.sha256(marshal.dumps((frozen, package), 2)).hexdigest(),
        MAIN.read_text("ascii"),
        Path(__file__).read_text("utf-8"),
    ]
    return built(f"executable-{architecture}", ingredients, build)


def make_variables(folder: Path, environ: dict[str, str], names: Iterable[str]) -> dict[str, list[str]]:
    """What CPython's Makefile knows of compiling and linking."""
    script = "include Makefile\nshow:\n" + "".join(f"\t@echo '$({name})'\n" for name in names)
    words = ["make", "--silent", "--file=-", "show"]
    shown = subprocess.run(
        words, input=script, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return dict(zip(names, map(str.split, shown.splitlines()), strict=True))


def runtime_files(folder: Path, environ: dict[str, str]) -> list[str]:
    """What the compiler links with every static-pie program: its start, musl, and the compiler's runtime."""
    (folder / "empty.c").write_text("int main(void) { return 0; }\n", "ascii")
    told = run(["standalone-cc", "-v", "-static", "-fPIE", "-pie", "-o", "empty", "empty.c"], folder, environ)
    *_, line = re.findall("(?m)^ld.lld (.*)$", told)  # the first time, it builds these by the same command
    return [word for word in line.split() if word.endswith(("/rcrt1.o", ".a"))]


def parts(folder: Path) -> Counter[str]:
    """The bytes of each of PARTS, by the linker's map."""
    sizes: Counter[str] = Counter()
    #            VMA              LMA     Size Align         libcrypto.a(libcrypto-lib-a_gf2m.o):(.text.BN_GF2m_add)
    for size, name, section in re.findall(
        r"(?m)^ *\w+ +\w+ +(\w+) +\d+ {9}(\S+):\((.+)\)$", (folder / "map").read_text()
    ):
        if not section.startswith((".bss", ".tbss")):
            part = next(
                (part for part, pattern in PARTS.items() if re.search(pattern, name)), "relocations and strings"
            )
            sizes[part] += int(size, 16)
    return sizes


def write_frozen(frozen: Frozen, package: bytes, folder: Path) -> None:
    """Write frozen.c, instead of CPython's Python/frozen.c, and what it includes."""
    blob, places = bytearray(), {}
    for name, (_, code) in frozen.items():
        places[name] = len(blob), len(code)
        blob += code.ljust(-(-len(code) // 16 * 16), b"\0")
    (folder / "library.bin").write_bytes(blob)
    (folder / "package.bin").write_bytes(package)

    def row(name: str, module: str) -> str:
        offset, size = places[module]
        return f'    {{"{name}", library + {offset}, {size}, {int(frozen[module][0])}}},\n'

    others = [name for name in frozen if name not in (FIRST, *BOOTSTRAP.values())]
    text = FROZEN.format(
        package_size=len(package),
        bootstrap="".join(row(name, module) for name, module in BOOTSTRAP.items()),
        aliases="".join(f'    {{"{name}", "{module}"}},\n' for name, module in BOOTSTRAP.items()),
        library="".join(row(name, name) for name in (FIRST, *others)),
    )
    (folder / "frozen.c").write_text(text, "ascii")


FROZEN = """\
#include <Python.h>
#include <internal/pycore_import.h>

__asm__(
    ".section .rodata\\n"
    ".balign 16\\nlibrary: .incbin \\"library.bin\\"\\n"
    ".balign 16\\n.globl package\\npackage: .incbin \\"package.bin\\"\\n"
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
const struct _frozen *_PyImport_FrozenBootstrap = bootstrap;
const struct _frozen *_PyImport_FrozenStdlib = none;
const struct _frozen *_PyImport_FrozenTest = none;
const struct _module_alias *_PyImport_FrozenAliases = aliases;
const struct _frozen *PyImport_FrozenModules;
"""
