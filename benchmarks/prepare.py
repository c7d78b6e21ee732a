"""Builds what is compared into a folder, and says how each is started. What cannot be built here is absent."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipapp
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import server

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks/peers"
ARCHIVE = ROOT / "dist/run-lambda-entrypoint.pyz"
ROOTED = "rooted"
PACKAGES = sysconfig.get_path("purelib")
SHEBANG = (sys.executable, "-ISB")  # as the archive's shebang line does
PYTHON = (sys.executable, "-IS")  # no -B: shiv's later start imports the bytecode that its first one left
AS_IN_README = ("--rie-path", "/usr/local/bin/aws-lambda-rie", "--")
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")

OURS = "run-lambda-entrypoint"
OURS_BOTOCORE = "run-lambda-entrypoint over botocore"
FLOOR = "floor: the least Python script"
EMPTY = "empty zipapp with argparse"
PLAIN = "botocore script"
SHIV_FIRST = "botocore script in shiv, first start"
SHIV_LATER = "botocore script in shiv, later start"
CLI = "AWS CLI and jq in a shell script"
GO = "Go program, one secret after another"

ONE_CERTIFICATE = "AWS_CA_BUNDLE with one certificate"
OWN_ROOTS = "the archive's own roots"
SYSTEM_STORE = "AWS_CA_BUNDLE with the system's certificates"

ALONE = "awslambdaric alone"


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
    server.authority(folder)
    shutil.copy(ARCHIVE, folder)  # whatever is built meanwhile
    rooted = folder / ROOTED
    rooted.mkdir()
    build = [sys.executable, str(ROOT / "build.py"), "--extra-root", server.CA, "--output", ROOTED]
    subprocess.run(build, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    shiv(folder)
    empty = folder / "empty"
    empty.mkdir()
    shutil.copyfile(PEERS / "empty.py", empty / "__main__.py")
    zipapp.create_archive(empty, folder / "empty.pyz")
    go(folder)
    for bundle in SYSTEM_BUNDLES:
        if Path(bundle).exists():
            certificates = Path(bundle).read_bytes() + (folder / server.CA).read_bytes()
            (folder / "system.pem").write_bytes(certificates)
            break


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
    """With the SDK that Debian packages, so that nothing is downloaded."""
    environ = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "-trimpath"}
    words = ["go", "build", "-ldflags=-s -w", "-o", str(folder / "go"), str(PEERS / "go/main.go")]
    if shutil.which("go"):
        subprocess.run(words, env={**environ, "GOCACHE": str(folder / "cache")}, check=False)


def variants(folder: Path) -> list[Variant]:
    ours, plain = str(folder / ARCHIVE.name), str(folder / "plain.pyz")
    later, first = folder / "shiv-later", folder / "shiv-first"
    return [
        Variant(OURS, (*SHEBANG, ours, *AS_IN_README)),
        Variant(FLOOR, (*PYTHON, str(ROOT / "benchmarks/floor.py"))),
        Variant(EMPTY, (*PYTHON, str(folder / "empty.pyz"), *AS_IN_README)),
        Variant(GO, (str(folder / "go"),)),
        Variant(PLAIN, (*PYTHON, str(PEERS / "plain.py"), PACKAGES)),
        Variant(OURS_BOTOCORE, (*SHEBANG, ours, *AS_IN_README), {"LAMBDA_ENV_TRANSPORT": "botocore"}),
        Variant(SHIV_LATER, (*PYTHON, plain), {"SHIV_ROOT": str(later)}),
        Variant(SHIV_FIRST, (*PYTHON, plain), {"SHIV_ROOT": str(first)}, emptied=first, every=4),
        Variant(CLI, (str(PEERS / "awscli.sh"),), every=4),
    ]


def absent(folder: Path) -> dict[str, str]:
    """Why these are not measured here."""
    reasons = {}
    if not (folder / "go").exists():
        reasons[GO] = "needs Go and its AWS SDK (Debian: golang-go, golang-github-aws-aws-sdk-go-v2-dev)"
    if not shutil.which("jq"):
        reasons[CLI] = "needs jq"
    if not (folder / "system.pem").exists():
        reasons[SYSTEM_STORE] = "the system has no bundle of certificates"
    return reasons


def trusting(folder: Path) -> list[Variant]:
    """Ours against AWS's own host name, by where the root of trust comes from."""
    ours, rooted = folder / ARCHIVE.name, folder / ROOTED / ARCHIVE.name
    bundles = {ONE_CERTIFICATE: folder / server.CA, SYSTEM_STORE: folder / "system.pem"}
    return [
        Variant(OWN_ROOTS, (*SHEBANG, str(rooted), *AS_IN_README)),
        *(
            Variant(name, (*SHEBANG, str(ours), *AS_IN_README), {"AWS_CA_BUNDLE": str(bundle)})
            for name, bundle in bundles.items()
        ),
    ]
