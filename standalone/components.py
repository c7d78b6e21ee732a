"""What the executable has inside besides our archive: names, versions and licenses, for --licenses and the SBOM."""

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from standalone import toolchain
from standalone.sources import pinned, unpacked


class Component(NamedTuple):
    """A part of the executable. `license` is an SPDX expression; advisories name the part by `cpe`, vendor:product."""

    name: str
    version: str
    license: str
    cpe: str
    texts: dict[str, str]  # of licenses, by the names of the files


def components() -> list[Component]:
    """Versions come from pins and from what the sources say of themselves. Raises SourceError and BuildError."""
    pins = pinned()
    cpython, openssl, zlib = (unpacked(pins[name]) for name in ("CPython", "OpenSSL", "zlib"))
    zig = Path(str(distribution("ziglang").locate_file("ziglang")))
    # CPython's own bill of materials names most of what it includes.
    listed = json.loads((cpython / "Misc/sbom.spdx.json").read_bytes())["packages"]
    included = {package["name"]: package["versionInfo"] for package in listed}
    mimalloc = found(r"MI_MALLOC_VERSION (\d)(\d)(\d)", cpython / "Include/internal/mimalloc/mimalloc.h")
    [musl] = found('VERSION "(.+)"', zig / "lib/libc/musl/src/internal/version.h")
    [mimalloc_license] = found(r"\nmimalloc\n-+\n\n((?:.|\n)+?)\n\n\n", cpython / "Doc/license.rst")
    mpdecimal, hacl = cpython / "Modules/_decimal/libmpdec/mpdecimal.h", cpython / "Modules/_hacl/Hacl_Hash_SHA2.c"
    rows = (
        ("CPython", pins["CPython"].version, "PSF-2.0", "python:python", cpython / "LICENSE"),
        ("OpenSSL", pins["OpenSSL"].version, "Apache-2.0", "openssl:openssl", openssl / "LICENSE.txt"),
        ("zlib", pins["zlib"].version, "Zlib", "zlib:zlib", zlib / "LICENSE"),
        ("expat", included["expat"], "MIT", "libexpat_project:libexpat", cpython / "Modules/expat/COPYING"),
        ("libmpdec", included["mpdecimal"], "BSD-2-Clause", "bytereef:mpdecimal", mpdecimal),
        ("hacl-star", included["hacl-star"], "MIT", "hacl-star:hacl-star", hacl),
        ("libb2", included["libb2"], "CC0-1.0", "blake2:libb2", cpython / "Modules/_blake2/impl/blake2.h"),
        ("musl", musl, "MIT", "musl-libc:musl", zig / "lib/libc/musl/COPYRIGHT"),
        ("zig", toolchain.version(), "MIT", "ziglang:zig", zig / "LICENSE"),
    )
    return [
        *(
            Component(name, version, spdx, cpe, {path.name: license_text(path)})
            for name, version, spdx, cpe, path in rows
        ),
        Component("mimalloc", ".".join(mimalloc), "MIT", "microsoft:mimalloc", {"LICENSE": mimalloc_license}),
    ]


def found(pattern: str, path: Path) -> tuple[str, ...]:
    match = re.search(pattern, path.read_text("utf-8"))
    if not match:
        raise toolchain.BuildError(f"{path} does not match {pattern}")
    return match.groups()


def license_text(path: Path) -> str:
    """The file, or of a source in C the comment at its top."""
    text = path.read_text("utf-8")
    return re.sub("(?m)^ \\* ?", "", text.partition("*/")[0].lstrip("/* \n")) if path.suffix in (".c", ".h") else text
