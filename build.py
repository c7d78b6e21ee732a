"""Builds the archives in dist/: stage, prune, compile, archive with shiv, write, report. `make dist` runs it.

The same commit gives the same bytes, wherever, whenever and by whomever it is built, as long as the interpreters that
compile it (the report names them) and zlib are the same.
"""

import argparse
import gzip
import hashlib
import json
import marshal
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple

from shiv.bootstrap.environment import Environment
from shiv.builder import create_archive
from shiv.constants import BUILD_AT_TIMESTAMP_FORMAT

ROOT = Path(__file__).resolve().parent
PACKAGE = "run_lambda_entrypoint"
ENTRY_POINT = f"{PACKAGE}.__main__:main"
SHEBANGS = {  # file: the interpreter that its shebang line names
    "run-lambda-entrypoint.pyz": "/usr/bin/python3",  # distroless, Debian, Ubuntu, Chainguard
    "run-lambda-entrypoint-python-image.pyz": "/usr/local/bin/python3",  # Docker's python images
    "run-lambda-entrypoint-aws-base.pyz": "/var/lang/bin/python3",  # AWS's base images
}
# -I and -S: no PYTHON* variable, working directory or site-packages changes what runs. -B: where the standard library
# has no .pyc files, as in Docker's python images, they would be written into its folders.
FLAGS = "-ISB"
SUMS = "SHA256SUMS"
START = "__main__.py"
MARK = b"#RLE"  # ends the first entry; the shebang line executes nothing without it
LINE_SIZE = 127  # bytes of the shebang line with its line break: older kernels read no more
SELDOM = (f"{PACKAGE}.aws.botocore_sdk", f"{PACKAGE}.reporting.")  # which most starts need not read
LIBRARIES = ("botocore", "dateutil", "jmespath", "six", "urllib3")
# Each CPython that is supported upstream starts from bytecode, of the libraries too. 3.10 is not any more, but Ubuntu
# 22.04 has it: of the libraries, it compiles what a start imports.
BYTECODE_VERSIONS = {  # version: whether the libraries' bytecode is included
    "3.10": False,
    "3.11": True,
    "3.12": True,
    "3.13": True,
    "3.14": True,
    "3.15": True,
}
INTERPRETERS = ROOT / ".cache/interpreters"  # where interpreters.py unpacks those of Debian
# SHA-256 of Amazon Root CA 1 to 4 and of the Starfield root behind them (https://www.amazontrust.com/repository/).
AMAZON_ROOTS = (
    "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
)
MAX_SIZE = 5_200_000  # bytes

# What we call, and what botocore's credential providers call. Its `login` provider would call signin, but only
# with awscrt, which is compiled and so is not included.
OPERATIONS = {
    "secretsmanager": ["GetSecretValue"],
    "ssm": ["GetParameter", "GetParameters", "GetParametersByPath"],
    "sso": ["GetRoleCredentials"],
    "sso-oidc": ["CreateToken"],
    "sts": ["AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"],
}
UNUSED = (  # except the licenses and what prune keeps
    "*.dist-info/**/*",
    "**/py.typed",
    "bin/*",
    "botocore/crt/auth.py",
    "botocore/data/**/*",
    "botocore/docs/translator.py",
    "botocore/stub.py",
    "dateutil/easter.py",
    "dateutil/rrule.py",
    "dateutil/utils.py",
    "dateutil/**/*win.py",
    "dateutil/zoneinfo/*",
    "urllib3/contrib/**/*",
    "urllib3/http2/connection.py",
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--python", metavar="PATH", help="write one archive more, for this interpreter")
    arguments.add_argument("--release", action="store_true", help="fail where an interpreter is missing")
    arguments.add_argument("--extra-root", metavar="PEM", type=Path, help="for tests: trust this root too")
    arguments.add_argument("--output", metavar="FOLDER", type=Path, default=ROOT / "dist", help="instead of dist/")
    options = arguments.parse_args()
    if options.extra_root and options.output.resolve() == ROOT / "dist":
        arguments.error("--extra-root needs --output: files in dist/ must not trust an additional root")
    if options.python and not options.python.startswith("/"):
        arguments.error("--python takes an absolute path: the kernel does not search for an interpreter")
    custom = {"run-lambda-entrypoint-custom.pyz": options.python} if options.python else {}

    found = interpreters()
    if missing := [version for version in BYTECODE_VERSIONS if version not in found]:
        if options.release:
            sys.exit(notice(missing))
        print(notice(missing), file=sys.stderr)

    with staged(options.extra_root) as packages:
        bytecode: dict[str, bytes] = {}
        for python in found.values():
            bytecode |= compile_packages(packages, python)
        entries = dict(collect(packages, bytecode))

    options.output.mkdir(parents=True, exist_ok=True)
    archives = {options.output / name: python for name, python in (SHEBANGS | custom).items()}
    for target, path in archives.items():
        write(entries, target, shebang_line(path, entries[START]))
    write_sums(options.output)
    print("bytecode by CPython", ", ".join(python.release for python in found.values()))
    report(archives)


class Interpreter(NamedTuple):
    """A CPython that is here: its path, its release (3.13.0), and the tag (cpython-313) and magic of its bytecode."""

    path: str
    release: str
    tag: str
    magic: bytes
    with_libraries: bool


@cache
def interpreters() -> dict[str, Interpreter]:
    """A released CPython for each of BYTECODE_VERSIONS: the one that runs this, else one that was unpacked from
    Debian's packages, one on PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = {}
    for version, with_libraries in BYTECODE_VERSIONS.items():
        unpacked = sorted(str(path) for path in INTERPRETERS.glob(f"*/usr/bin/python{version}"))
        pyenvs = sorted(str(path) for path in pyenv.glob(f"{version}.*/bin/python3"))
        for python in filter(None, [sys.executable, *unpacked, shutil.which(f"python{version}"), *pyenvs]):
            here = identity(python, with_libraries)
            if re.fullmatch(rf"{re.escape(version)}\.\d+", here.release) and here.tag.startswith("cpython-"):
                found[version] = here
                break
    return found


def identity(python: str | Path, with_libraries: bool) -> Interpreter:
    """What an interpreter says of its path (what is on PATH may be a script that starts it), release, tag and magic;
    empty if it does not run here."""
    question = (
        "import platform, sys; from importlib.util import MAGIC_NUMBER; "
        "print(sys.executable, platform.python_version(), sys.implementation.cache_tag, MAGIC_NUMBER.hex(), sep='\\n')"
    )
    try:
        answer = subprocess.run([python, "-Ic", question], capture_output=True, text=True).stdout
    except OSError:
        answer = ""
    path, release, tag, magic = answer.splitlines() or ("", "", "", "")
    return Interpreter(path, release, tag, bytes.fromhex(magic), with_libraries)


def notice(missing: list[str]) -> str:
    """What it means that interpreters are missing."""
    return (
        f"build.py: CPython {', '.join(missing)} not found. Without its bytecode, a start on it with one secret takes "
        "144 ms instead of 36 (measured on 3.13); `make interpreters` unpacks what Debian has"
    )


@contextmanager
def staged(extra_root: Path | None = None) -> Iterator[Path]:
    """A temporary folder with the packages as they go into an archive."""
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder, "packages")
        stage(packages, extra_root.read_text() if extra_root else "")
        prune(packages)
        yield packages


def stage(packages: Path, extra_root: str) -> None:
    """Install the pinned dependencies and the package. What only a build knows goes into the package here."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-compile", "--no-deps", f"--target={packages}"]
    pinned = ["--require-hashes", "--only-binary=:all:", f"--requirement={ROOT}/requirements/runtime.txt"]
    subprocess.run([*pip, *pinned], check=True)
    subprocess.run([*pip, "--no-index", "--no-build-isolation", str(ROOT)], check=True)
    with (packages / PACKAGE / "aws/known.py").open("a", encoding="ascii") as known:
        known.write(f"REGIONS = {regions(packages)!r}\nAMAZON_ROOTS = {amazon_roots(packages, extra_root)!r}\n")
    init = packages / PACKAGE / "__init__.py"
    unstamped = init.read_text("utf-8")
    init.write_text(re.sub("(?m)^__build__ = .*$", f'__build__ = "commit {commit()}"', unstamped), "utf-8")
    for file in distribution("shiv").files or ():  # its bootstrap travels too, and so must its license
        if "LICENSE" in file.name:
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), packages / file)


def regions(packages: Path) -> dict[str, tuple[str, str]]:
    """The partition of each Region, and the suffix of its hosts, from botocore's data."""
    partitions = json.loads((packages / "botocore/data/partitions.json").read_bytes())["partitions"]
    return {
        region: (partition["id"], partition["outputs"]["dnsSuffix"])
        for partition in reversed(partitions)  # of a Region in two of them, the first counts
        for region in partition["regions"]
    }


def amazon_roots(packages: Path, extra_root: str) -> tuple[bytes, ...]:
    """The certificates that AWS's own hosts chain to, in DER, from botocore's bundle; the one for tests comes first."""
    bundle = (packages / "botocore/cacert.pem").read_text("utf-8")
    found = {hashlib.sha256(der).hexdigest(): der for der in certificates(bundle)}
    return (*certificates(extra_root), *(found[fingerprint] for fingerprint in AMAZON_ROOTS))


def certificates(text: str) -> list[bytes]:
    pems = re.findall("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", text, re.DOTALL)
    return list(map(ssl.PEM_cert_to_DER_cert, pems))


def prune(packages: Path) -> None:
    """Keep what is imported, the data of what is called, and every license."""
    data = packages / "botocore/data"
    shared = ("_retry", "endpoints", "partitions", "sdk-default-configuration")
    kept = {data / f"{name}.json" for name in shared}
    prefixes = []
    for service, operations in OPERATIONS.items():
        [version] = (data / service).iterdir()
        for packed in version.glob("*.gz"):  # the archive compresses
            packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        model = cut_model((version / "service-2.json").read_bytes(), operations)
        dump(model, version / "service-2.json")
        prefixes.append(model["metadata"]["endpointPrefix"])
        names = ("service-2", "service-2.sdk-extras", "endpoint-rule-set-1")
        kept |= {version / f"{name}.json" for name in names}

    endpoints = json.loads((data / "endpoints.json").read_bytes())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in prefixes if name in services}
    dump(endpoints, data / "endpoints.json")

    for path in {path for pattern in UNUSED for path in packages.glob(pattern)} - kept:
        if path.is_file() and not path.name.startswith(("LICENSE", "NOTICE")):
            path.unlink()


def cut_model(content: bytes, operations: list[str]) -> dict[str, Any]:
    """One of botocore's service models with these operations, the shapes that they reach, and no documentation."""
    model: dict[str, Any] = json.loads(content, object_hook=undocumented)
    operations_kept = {name: model["operations"][name] for name in operations}
    shapes_kept: dict[str, Any] = {}
    reached = named_shapes(operations_kept)
    while reached:
        name = reached.pop()
        if name not in shapes_kept:
            shapes_kept[name] = model["shapes"][name]
            reached += named_shapes(shapes_kept[name])
    return model | {"operations": operations_kept, "shapes": shapes_kept}


def undocumented(part: dict[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in part.items() if name != "documentation" or isinstance(inner, dict)}


def named_shapes(part: dict[str, Any]) -> list[str]:
    return re.findall(r'"shape": "(\w+)"', json.dumps(part))


def dump(content: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="ascii")


def compile_packages(packages: Path, python: Interpreter) -> dict[str, bytes]:
    """The entries with the bytecode of the package, as src/__main__.py reads it, and of its dependencies, for one
    interpreter."""
    own = compiled(packages, python, [PACKAGE])
    if not python.with_libraries:
        return {f"bytecode/{python.tag}": python.magic + marshal.dumps((own, ()), 2)}
    libraries = compiled(packages, python, LIBRARIES)
    seldom = {name: own.pop(name) for name in list(own) if name.startswith(SELDOM)}
    return {
        f"bytecode/{python.tag}": python.magic + marshal.dumps((own, (*LIBRARIES, *seldom)), 2),
        f"libraries/{python.tag}": marshal.dumps(libraries | seldom, 2),
    }


def compiled(packages: Path, python: Interpreter, names: Iterable[str]) -> Any:
    """What compile_packages.py writes."""
    target = packages.with_name("compiled")
    command = [python.path, str(ROOT / "compile_packages.py"), str(packages), str(target), *names]
    # Python 3.10 orders set constants by hash seed.
    subprocess.run(command, env={"PYTHONHASHSEED": "0"}, check=True)
    return marshal.loads(target.read_bytes())  # noqa: S302 - our own


def archive(packages: Path, target: Path) -> None:
    """Let shiv write the packages, its bootstrap and its description of the build."""
    environment = Environment(
        built_at=time.strftime(BUILD_AT_TIMESTAMP_FORMAT, time.gmtime(commit_date())),
        shiv_version=distribution("shiv").version,
        entry_point=ENTRY_POINT,
        reproducible=True,
    )
    create_archive([packages], target, f"/usr/bin/python3 {FLAGS}", ENTRY_POINT, environment)


def commit_date() -> int:
    """SOURCE_DATE_EPOCH, or the commit's date, or (where git knows none) 1980, as early as zip archives go."""
    told = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct")
    return max(int(told or 0), 315_532_800)


def commit() -> str:
    """What --version names: the start of the commit's hash, with +dirty if files differ from it; or "unknown"."""
    dirty = "+dirty" if git("status", "--porcelain") else ""
    return (git("rev-parse", "HEAD")[:12] or "unknown") + dirty


def git(*words: str) -> str:
    """What git prints about this folder's own repository, not one around it; "" if there is none, or no git."""
    command = ["git", "--no-optional-locks", f"--git-dir={ROOT}/.git", f"--work-tree={ROOT}", *words]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def collect(packages: Path, bytecode: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """What goes into the archives. Our own start replaces shiv's, which would extract everything to a disk."""
    shiv_archive = packages.with_name("pyz")
    archive(packages, shiv_archive)
    own = {name: content for name, content in bytecode.items() if name.startswith("bytecode/")}
    yield START, first_entry(own)
    yield from (own | bytecode).items()  # what the first entry reads comes next
    with zipfile.ZipFile(shiv_archive) as archived:
        for name in sorted(archived.namelist()):
            if name != START:
                yield name, archived.read(name)


def first_entry(following: dict[str, bytes]) -> bytes:
    """src/__main__.py with the mark that the shebang line looks for, and the places in the file of what follows."""
    source = (ROOT / "src/__main__.py").read_text("utf-8").rstrip()

    def filled(places: dict[str, tuple[int, int]]) -> bytes:
        # Of one length, whatever the places are.
        table = ", ".join(f'"{tag}": ({offset:8}, {size:8})' for tag, (offset, size) in places.items())
        return source.replace("PLACES = {}", f"PLACES = {{{table}}}").encode() + MARK

    tags = [name.partition("/")[2] for name in following]
    place = LINE_SIZE + entry_head(START) + len(filled(dict.fromkeys(tags, (0, 0))))
    places = {}
    for tag, (name, content) in zip(tags, following.items(), strict=True):
        places[tag] = (place + entry_head(name), len(content))
        place += entry_head(name) + len(content)
    return filled(places)


def entry_head(name: str) -> int:
    """The bytes before the content of an entry (APPNOTE.TXT, 4.3.7)."""
    return 30 + len(name)


def shebang_line(python: str, start: bytes) -> bytes:
    """The line that executes the first entry without runpy, zipimport and the directory of the archive, as
    docs/internals.md explains. Always of one size, so that what an entry knows of places in the file holds for every
    interpreter."""
    first = LINE_SIZE + entry_head(START)
    code = (
        f'from sys import*;c=open(argv[1],"rb").read({first + len(start)});'
        f"c[-{len(MARK)}:]=={MARK!r}or exit(125);exec(c[{first}:])".replace("'", '"')
    )
    line = f"#!{python} {FLAGS}c{code}"
    if len(line) >= LINE_SIZE:
        print(f"build.py: the path {python} is so long that each start takes 5 ms more: it is left to runpy")
        line = f"#!{python} {FLAGS}"
    return line.ljust(LINE_SIZE - 1).encode() + b"\n"


def write(entries: dict[str, bytes], target: Path, head: bytes) -> None:
    """Write one archive, behind its shebang line or an executable."""
    date = commit_date()
    partial = target.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(head)
        with zipfile.ZipFile(file, "w") as written:
            for name, content in entries.items():
                # Each start reads these as they stand in the file.
                hot = name.startswith((START, "bytecode/"))
                compression = zipfile.ZIP_STORED if hot else zipfile.ZIP_DEFLATED
                written.writestr(zip_entry(name, date, 0o644), content, compression, 9)
    partial.chmod(0o755)
    partial.replace(target)


def zip_entry(name: str, date: int, mode: int) -> zipfile.ZipInfo:
    """An entry that depends on nothing else, for a regular file with the permissions `mode`."""
    entry = zipfile.ZipInfo(name, time.gmtime(date)[:6])
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | mode) << 16  # 3: Unix
    return entry


def write_sums(folder: Path) -> None:
    """Write the lines that `sha256sum --check` reads, for all that is in a folder."""
    files = [
        path for path in sorted(folder.iterdir()) if path.name not in (".gitignore", SUMS) and path.suffix != ".partial"
    ]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), "utf-8")
    (folder / SUMS).chmod(0o644)


def report(archives: dict[Path, str]) -> None:
    """Print what was written and what takes the space; fail if an archive is too large."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(next(iter(archives))) as archived:
        for entry in archived.infolist():
            top, *rest = entry.filename.removeprefix("site-packages/").split("/")
            part = "botocore/data" if rest[:1] == ["data"] else "licenses" if "dist-info" in top else top
            sizes[part] += entry.compress_size
    for part, size in sizes.most_common():
        print(f"{size:>11,} bytes of {part}")
    for target, python in archives.items():
        size = target.stat().st_size
        print(f"{size:>11,} bytes: {target.name} for {python}")
        if size > MAX_SIZE:
            sys.exit(f"build.py: {target.name} is larger than {MAX_SIZE:,} bytes")


if __name__ == "__main__":
    main()
