"""CPython, static, with every module of C that is needed built in."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from standalone.libraries import PREFIX, relative
from standalone.sources import Source, unpacked
from standalone.toolchain import FLAGS, NATIVE, built, environment, make, run

SETUP = Path(__file__).with_name("Setup.local")
# THREAD_STACK_SIZE: musl's threads have 128 KB. CPython refuses JSON below 10,000 levels only, which take 2.2 MB.
# MI_NO_GETENV: MIMALLOC_* would act.
CPYTHON_FLAGS = f"{FLAGS} -fwrapv -DTHREAD_STACK_SIZE=0x400000 -DMI_NO_GETENV"
OPTIONS = """
    --disable-shared --disable-test-modules --without-ensurepip --without-doc-strings --without-readline
    --without-system-libmpdec --with-mimalloc --enable-ipv6 --with-pkg-config=no
"""
# What configure would find out by running a program, which it cannot for another architecture.
ANSWERS = """\
ac_cv_file__dev_ptmx=yes
ac_cv_file__dev_ptc=no
ac_cv_working_openssl_ssl=yes
ac_cv_working_openssl_hashlib=yes
ac_cv_buggy_getaddrinfo=no
"""


class CPython(NamedTuple):
    """A built CPython: where its objects and libraries are, what links them, and its sources."""

    folder: Path
    sources: Path

    @property
    def python(self) -> Path:
        """The interpreter itself, which finds its standard library."""
        return self.folder / "home/bin/python3"


def interpreter(source: Source, architecture: str, zlib: Path, openssl: Path, native: CPython | None) -> CPython:
    """CPython for one architecture; `native` is one that runs on this machine, None where this one does itself."""

    def build(folder: Path) -> None:
        headers = f"-I{os.path.relpath(zlib, folder)}/include"
        libraries = f"-L{os.path.relpath(zlib, folder)}/lib"
        environ = environment(architecture) | {
            "CONFIG_SITE": "config.site",
            "PKG_CONFIG": "false",
            "MODULE_BUILDTYPE": "static",
            "LINKFORSHARED": " ",
            "ZLIB_CFLAGS": headers,
            "ZLIB_LIBS": f"{libraries} -lz",
            "CFLAGS": CPYTHON_FLAGS,
            "LDFLAGS": "-static -Wl,--gc-sections",
        }
        (folder / "config.site").write_text(ANSWERS, "ascii")
        (folder / "Modules").mkdir()
        shutil.copyfile(SETUP, folder / "Modules/Setup.local")
        machine = f"{architecture}-pc-linux-musl"
        cross = (
            [f"--build={NATIVE}-pc-linux-gnu", f"--host={machine}", f"--with-build-python={native.python}"]
            if native
            else [f"--build={machine}"]
        )
        configure = f"{relative(source, folder)}/configure"
        places = [f"--prefix={PREFIX}", f"--with-openssl={os.path.relpath(openssl, folder)}"]
        run([configure, "--quiet", *cross, *places, *OPTIONS.split(), "OPT=-DNDEBUG"], folder, environ)
        make(folder, environ, "python")
        if not native:
            make_home(folder, unpacked(source), source.version)

    ingredients = [
        source.sums[0],
        zlib.parts[-3],
        openssl.parts[-3],
        SETUP.read_text("ascii"),
        Path(__file__).read_text("utf-8"),
    ]
    return CPython(built(f"cpython-{architecture}", ingredients, build), unpacked(source))


def make_home(folder: Path, sources: Path, version: str) -> None:
    """Lay out what an interpreter looks for around itself."""
    name = f"python{'.'.join(version.split('.')[:2])}"
    library = folder / "home/lib" / name
    (folder / "home/bin").mkdir(parents=True)
    shutil.copy(folder / "python", folder / "home/bin/python3")
    library.mkdir(parents=True)
    for entry in (sources / "Lib").iterdir():
        (library / entry.name).symlink_to(entry)
    (library / "lib-dynload").mkdir()
