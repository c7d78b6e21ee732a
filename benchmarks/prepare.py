"""Builds what is compared into a folder, and says how each is started. What cannot be built here is absent."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import server
from standalone import toolchain
from tests.containers.debian import Suite, unpack
from tests.containers.engine import EngineError

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks/peers"
ARCHIVE = ROOT / "dist/run-lambda-entrypoint.pyz"
EXECUTABLES = {name: ROOT / f"dist/run-lambda-entrypoint-{name}" for name in toolchain.ARCHITECTURES}
EXECUTABLE = EXECUTABLES[toolchain.NATIVE]
ROOTED = "rooted"
PACKAGES = sysconfig.get_path("purelib")
PYTHON = "/usr/bin/python3"  # the archive's shebang line names it, so everything else in Python is started with it too
ISOLATED = (PYTHON, "-IS")  # no -B: shiv's later start imports the bytecode that its first one left
EXEC = "import posix, sys; posix.execv(sys.argv[1], sys.argv[1:])"
AS_IN_README = ("--rie-path", "/usr/local/bin/aws-lambda-rie", "--")
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", f"{PACKAGES}/botocore/cacert.pem")
DEBIAN = "trixie"
GO_PACKAGES = ("golang-go", "golang-github-aws-aws-sdk-go-v2-dev")

OURS = "run-lambda-entrypoint"
OURS_BY_PYTHON = "run-lambda-entrypoint as python3 FILE"
OURS_BOTOCORE = "run-lambda-entrypoint over botocore"
OURS_EXECUTABLE = "run-lambda-entrypoint, executable"
OURS_EXECUTABLE_BOTOCORE = "run-lambda-entrypoint, executable, over botocore"
FLOOR = "floor: the least Python script"
RAW_FLOOR = "raw floor: on the C modules alone"
BARE = "python3 -IS -c pass, plus exec"
PLAIN = "botocore script"
SHIV_FIRST = "botocore script in shiv, first start"
SHIV_LATER = "botocore script in shiv, later start"
CLI = "AWS CLI and jq in a shell script"
GO = "Go program, one secret after another"

OWN_ROOTS = "the archive's own roots"
BUNDLE = "AWS_CA_BUNDLE, certificates: {}"
ONE_CERTIFICATE = BUNDLE.format(1)

ALONE = "the client alone"
AWSLAMBDARIC, GO_CLIENT = "awslambdaric", "a Go client"
"""Runtime clients."""
BEFORE_GO = (ALONE, OURS_EXECUTABLE, OURS, GO)
"""What is measured in front of the Go client; in front of awslambdaric is everything."""


@dataclass(frozen=True)
class Variant:
    """One thing that is started: `words` are followed by the wrapped command."""

    name: str
    words: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)
    emptied: Path | None = None
    """A folder that is removed before each start."""
    every: int = 1
    """The slow ones are started in one of so many rounds."""


def prepare(folder: Path) -> None:
    check_versions()
    server.authority(folder)
    for built in (ARCHIVE, EXECUTABLE):
        shutil.copy(built, folder)  # whatever is built meanwhile
    rooted = folder / ROOTED
    rooted.mkdir()
    build = [sys.executable, str(ROOT / "build.py"), "--extra-root", server.CA, "--output", ROOTED]
    subprocess.run(build, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    shiv(folder)
    go(folder)
    bundles(folder)


def check_versions() -> None:
    """PYTHON imports the packages in .venv. Exits where it is of another version."""
    question = "import sys; print(sys.implementation.cache_tag)"
    told = subprocess.run([PYTHON, "-Ic", question], capture_output=True, text=True, check=True).stdout
    if told.strip() != sys.implementation.cache_tag:
        sys.exit(f".venv must be made with the version of {PYTHON}: run make PYTHON={PYTHON} bench")


def bundles(folder: Path) -> None:
    """Bundles of one, five and as many certificates as the system's has; the server's root is the first of each."""
    own = (folder / server.CA).read_text()
    system = next(Path(bundle).read_text() for bundle in BUNDLES if Path(bundle).exists())
    others = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", system, re.DOTALL)
    (folder / "bundles").mkdir()
    for size in (1, 5, len(others)):
        (folder / f"bundles/{size}").write_text(own + "".join(others[: size - 1]))


def shiv(folder: Path) -> None:
    """The script and what it imports, packed as shiv does it by itself."""
    staged = folder / "staged"
    staged.mkdir()
    for name in ("botocore", "dateutil", "jmespath", "urllib3"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(PACKAGES, name), staged / name, ignore=ignored)
    shutil.copy(Path(PACKAGES, "six.py"), staged)
    shutil.copy(PEERS / "plain.py", staged)
    words = ["--site-packages", str(staged), "--entry-point", "plain:main", "--output-file", "plain.pyz"]
    subprocess.run([sys.executable, "-m", "shiv", *words], cwd=folder, check=True)


def go(folder: Path) -> None:
    """With the compiler and the SDK that Debian packages: downloaded to .cache/, unpacked only for this."""
    root = folder / "debian"
    try:
        unpack(Suite(DEBIAN, ROOT / ".cache/benchmarks").fetch(GO_PACKAGES), root)
    except (EngineError, OSError) as error:
        print(f"Go is left out: {error}", file=sys.stderr)
        return
    places = {"GOPATH": str(root / "usr/share/gocode"), "GOCACHE": str(folder / "go-cache")}
    environ = {**os.environ, **places, "GO111MODULE": "off", "GOFLAGS": "-trimpath", "CGO_ENABLED": "0"}
    for name in ("go", "client"):
        words = ["build", "-ldflags=-s -w", "-o", str(folder / name), str(PEERS / name / "main.go")]
        subprocess.run([str(root / "usr/bin/go"), *words], env=environ, check=True)


def variants(folder: Path) -> list[Variant]:
    ours, executable, plain = (str(folder / name) for name in (ARCHIVE.name, EXECUTABLE.name, "plain.pyz"))
    botocore = {"LAMBDA_ENV_TRANSPORT": "botocore"}
    later, first = folder / "shiv-later", folder / "shiv-first"
    return [
        Variant(OURS, (ours, *AS_IN_README)),
        Variant(OURS_BY_PYTHON, (PYTHON, ours, *AS_IN_README)),
        Variant(OURS_EXECUTABLE, (executable, *AS_IN_README)),
        Variant(FLOOR, (*ISOLATED, str(ROOT / "benchmarks/floor.py"))),
        Variant(RAW_FLOOR, (PYTHON, "-ISB", str(ROOT / "benchmarks/floor_raw.py"))),
        Variant(BARE, (*ISOLATED, "-c", EXEC)),
        Variant(GO, (str(folder / "go"),)),
        Variant(PLAIN, (*ISOLATED, str(PEERS / "plain.py"), PACKAGES)),
        Variant(OURS_BOTOCORE, (ours, *AS_IN_README), botocore),
        Variant(OURS_EXECUTABLE_BOTOCORE, (executable, *AS_IN_README), botocore),
        Variant(SHIV_LATER, (*ISOLATED, plain), {"SHIV_ROOT": str(later)}),
        Variant(SHIV_FIRST, (*ISOLATED, plain), {"SHIV_ROOT": str(first)}, emptied=first, every=4),
        Variant(CLI, (str(PEERS / "awscli.sh"),), every=4),
    ]


def clients(folder: Path) -> dict[str, tuple[str, ...]]:
    """How each runtime client is started. awslambdaric is the real one, with a handler that costs nothing to import."""
    known = {AWSLAMBDARIC: (PYTHON, "-m", "awslambdaric", "os.getpid"), GO_CLIENT: (str(folder / "client"),)}
    left_out = absent(folder)
    return {name: words for name, words in known.items() if name not in left_out}


def files(folder: Path) -> dict[str, Path]:
    """Whose size is compared."""
    known = {
        ARCHIVE.name: folder / ARCHIVE.name,
        **{path.name: path for path in EXECUTABLES.values()},
        "botocore script in shiv": folder / "plain.pyz",
        GO: folder / "go",
    }
    return {name: path for name, path in known.items() if path.exists()}


def absent(folder: Path) -> dict[str, str]:
    """Why these are not measured here."""
    reasons = {}
    if not (folder / "go").exists():
        reasons = dict.fromkeys((GO, GO_CLIENT), f"needs apt, and Debian's {' and '.join(GO_PACKAGES)}")
    if not shutil.which("jq"):
        reasons[CLI] = "needs jq"
    return reasons


def trusting(folder: Path) -> list[Variant]:
    """Ours against AWS's own host name, by where the root of trust comes from."""
    ours, rooted = folder / ARCHIVE.name, folder / ROOTED / ARCHIVE.name
    bundles = sorted((folder / "bundles").iterdir(), key=lambda bundle: int(bundle.name))
    return [
        Variant(OWN_ROOTS, (str(rooted), *AS_IN_README)),
        *(
            Variant(BUNDLE.format(bundle.name), (str(ours), *AS_IN_README), {"AWS_CA_BUNDLE": str(bundle)})
            for bundle in bundles
        ),
    ]
