"""What a start may meet: a table of dimensions, and what a seed chooses in each of them.

Each dimension is drawn by itself, from the seed, the start's number and the dimension's name: one more dimension, or
other values in one, leave what a seed chooses in the others.
"""

from __future__ import annotations

import json
import signal
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.behavior.test_leaks import MARKER
from tests.harness.entrypoint import TRANSPORTS
from tests.harness.http_server import CLOSE, DRIP, MUTE, RESET, Reply, by_chunks, by_close, by_length, error, head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHEBANG, PYTHON, EXECUTABLE = "./FILE", "python3 FILE", "executable"
PIPE, FULL_PIPE, BROKEN_PIPE = "pipe", "full pipe", "broken pipe"
DEV_NULL, DEV_FULL, CLOSED = "/dev/null", "/dev/full", "closed"
REFUSED, BLACK_HOLE = "refused", "black hole"
NAMES = [f"name{index:02}" for index in range(20)]
LIMITS = ("nofile", "nproc", "as", "stack", "fsize")


class Choice(NamedTuple):
    """One start. `moment` is when the signal is sent, in seconds after the start; limits are prlimit(1)'s."""

    form: str
    log_format: str
    log_level: str
    transport: str
    references: str
    scheme: str
    reply: str
    faulty: str
    environment: str
    command: str
    runtime_api: str
    deadline: float
    signal: int
    moment: float
    pid_1: bool
    stdin: str
    stdout: str
    stderr: str
    nofile: int | None
    nproc: int | None
    as_: int | None
    stack: int | None
    fsize: int | None

    @property
    def limits(self) -> tuple[str, ...]:
        """prlimit's options."""
        values = (self.nofile, self.nproc, self.as_, self.stack, self.fsize)
        return tuple(f"--{name}={value}" for name, value in zip(LIMITS, values, strict=True) if value is not None)


def choose(seed: int, number: int) -> Choice:
    """What the start `number` of a seed is."""
    return Choice(**{name: Random(f"{seed}/{number}/{name}").choice(values) for name, values in DIMENSIONS.items()})


def mostly(usual: Any, *rare: Any) -> Sequence[Any]:
    """The usual value in two of three starts: a start in which everything is odd shows only the first of its faults."""
    return [usual] * 2 * len(rare) + [*rare]


REFERENCES: dict[str, dict[str, str]] = {
    "one": {"SECRETS_MANAGER_ARN": NAMES[0]},
    "twenty": {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{name}": name for name in NAMES},
    "single value": {"LAMBDA_ENV_VALUE_FROM_SINGLE": f"{NAMES[0]}:{NAMES[0]}"},
    "parameters": {
        f"LAMBDA_ENV_VALUE_FROM_{name}": f"arn:aws:ssm:eu-west-1:123456789012:parameter/{name}" for name in NAMES[:12]
    },
    "path": {"LAMBDA_ENV_SSM_PATH_ALL": "/path/"},
    "none": {},
    "invalid": {"SECRETS_MANAGER_ARN": f"https://user:{MARKER}@host/"},
    "many invalid": {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{index:03}": "arn:bad" for index in range(300)},
}

DENIED = "User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: secretsmanager:GetSecretValue"
BAD_KEYS = json.dumps({f"a={index}": MARKER for index in range(7000)})

REPLIES: dict[str, Callable[[Reply], Reply]] = {
    # What becomes of the right reply. It may be another that is right: the start then has to succeed.
    "right": lambda right: right,
    "in chunks": lambda right: by_chunks(right.body),
    "until the end": lambda right: by_close(right.body),
    "truncated": lambda right: right.cut(-5),
    "truncated head": lambda right: right.cut(20),
    "empty": lambda _: Reply(b"", CLOSE),
    "reset": lambda _: Reply(b"", RESET),
    "mute": lambda _: Reply(b"", MUTE),
    "dripping": lambda right: Reply(right.raw[:-1], DRIP),
    "denied": lambda _: error(400, "AccessDeniedException", DENIED),
    "expired": lambda _: error(400, "ExpiredTokenException", "The security token included in the request is expired"),
    "throttled": lambda _: error(400, "ThrottlingException", "Rate exceeded"),
    "internal failure": lambda _: error(500, "InternalServiceError"),
    "not modified": lambda _: Reply(head(304)),
    "redirect": lambda _: by_length(b"", 302, "Location: http://127.0.0.1:9/"),
    "not HTTP": lambda _: Reply(b"\0\xff" * 500 + MARKER.encode(), CLOSE),
    "not JSON": lambda _: by_length(MARKER.encode()),
    "long header": lambda right: Reply(right.raw.replace(b"\r\n", f"\r\nX: {'x' * 100_000}\r\n".encode(), 1)),
    "deep reply": lambda _: by_length(b'{"SecretString": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    "deep secret": lambda right: with_secret(right, '{"A": ' + "[" * 900 + json.dumps(MARKER) + "]" * 900 + "}"),
    "secret is not JSON": lambda right: with_secret(right, MARKER),
    "bad keys": lambda right: with_secret(right, BAD_KEYS),
    "large value": lambda right: with_secret(right, json.dumps({"A": 140_000 * "x" + MARKER})),
    "reserved key": lambda right: with_secret(right, json.dumps({"_HANDLER": MARKER})),
    "too large": lambda _: by_length(b'{"SecretString": "' + 10_000_000 * b"x" + b'"}'),
    "another secret": lambda right: by_length(right.body.replace(b"name", b"other").replace(b"/path/", b"/other/")),
}

ENVIRONMENTS: dict[str, list[bytes]] = {
    # Entries of the function's environment beside PATH, Region and credentials; {folder} has the files of `starts`.
    "plain": [],
    "no PATH": [],
    "odd entries": [
        b"X=\xff\xfe",
        b"\xff=1",
        "ü=b".encode(),
        b"NO_VALUE",
        b"=NO_NAME",
        b"TWICE=1",
        b"TWICE=2",
        b"N=\n",
    ],
    "C locale": [b"LC_ALL=POSIX", b"PYTHONUTF8=0", b"PYTHONCOERCECLOCALE=0"],
    "Python's": [b"PYTHONPATH={folder}/modules", b"PYTHONUNBUFFERED=1", b"PYTHONOPTIMIZE=2", b"PYTHONINSPECT=1"],
    "Python in development": [b"PYTHONDEVMODE=1", b"PYTHONWARNINGS=always", b"PYTHONMALLOC=debug"],
    "OpenSSL's": [b"OPENSSL_CONF=/nonexistent", b"SSLKEYLOGFILE={home}/keys", b"SSL_CERT_FILE=/etc/passwd"],
    "overrides": [f"{name}=own".encode() for name in NAMES] + [b"LAMBDA_ENV_ON_OVERRIDE=warn", b"LAMBDA_ENV_TYPO=x"],
    "overrides denied": [f"{name}=own".encode() for name in NAMES] + [b"LAMBDA_ENV_ON_OVERRIDE=deny"],
    "own values kept": [f"{name}=own".encode() for name in NAMES[:10]] + [b"LAMBDA_ENV_ON_OVERRIDE=keep"],
    "composed": [
        *(b"LAMBDA_ENV_NAMES=shell", b"LAMBDA_ENV_PREFIX=P_", b"LAMBDA_ENV_REQUIRED=CHAOS, COMPOSED"),
        b"LAMBDA_ENV_TEMPLATE_COMPOSED=<{CHAOS:url}>",
        f"LAMBDA_ENV_BASE64_FROM_STORE={NAMES[0]}:{NAMES[0]}".encode(),
        b"LAMBDA_ENV_SSM_PATH_ELSEWHERE=arn:aws:ssm:eu-west-3:123456789012:parameter/path/",
        b"LAMBDA_ENV_PREFIX_ELSEWHERE=E_",
    ],
    "required but missing": [b"LAMBDA_ENV_REQUIRED=NOSUCH"],
    "invalid template": [f"LAMBDA_ENV_TEMPLATE_COMPOSED={MARKER}{{".encode()],
    "wrong option": [b"LAMBDA_ENV_ON_OVERRIDE=perhaps"],
    "2,000 variables": [f"VARIABLE_{index:04}={'x' * 30}".encode() for index in range(2000)],
    "missing profile": [b"AWS_PROFILE=nosuch"],
    "broken profile": [b"AWS_CONFIG_FILE={folder}/broken", b"AWS_SHARED_CREDENTIALS_FILE={folder}/broken"],
    "process": [b"AWS_ACCESS_KEY_ID=", b"AWS_CONFIG_FILE={folder}/process"],
    "hanging process": [b"AWS_ACCESS_KEY_ID=", b"AWS_CONFIG_FILE={folder}/hanging"],
    "process without keys": [b"AWS_ACCESS_KEY_ID=", b"AWS_CONFIG_FILE={folder}/list"],
    "token file": [
        *(b"AWS_ACCESS_KEY_ID=", b"AWS_ROLE_ARN=arn:aws:iam::123456789012:role/r", b"AWS_ENDPOINT_URL_STS={url}"),
        b"AWS_WEB_IDENTITY_TOKEN_FILE={folder}/token",
    ],
    "proxy": [b"https_proxy=http://127.0.0.1:9", b"http_proxy=http://127.0.0.1:9"],
    "invalid endpoint": [b"AWS_ENDPOINT_URL_SECRETS_MANAGER=", b"AWS_ENDPOINT_URL=https://host:x/"],
    "damaged bundle": [b"AWS_CA_BUNDLE={folder}/broken"],
}

COMMANDS: dict[str, list[str]] = {
    # Options and command. The command that is there waits, so that it can be looked at, and needs no descriptor.
    "waits": ["/bin/sleep", "600"],
    "behind --": ["--", "/bin/sleep", "600"],
    "missing": ["/nosuch"],
    "not in PATH": ["nosuch"],
    "not executable": ["/etc/passwd"],
    "no interpreter": ["{folder}/script"],
    "unknown option": ["--nosuch", "/bin/sleep", "600"],
    "none": [],
    "dry run": ["--dry-run", "/bin/sleep", "600"],
    "dry run as JSON": ["--dry-run", "--format", "json"],
    "help": ["--help"],
    "version": ["--version"],
}

MB = 1_000_000
DIMENSIONS: dict[str, Sequence[Any]] = {
    "form": (SHEBANG, PYTHON, EXECUTABLE),
    "log_format": ("text", "JSON"),
    "log_level": ("debug", "info", "warning", "error"),
    "transport": (*TRANSPORTS, "auto"),
    "references": mostly("one", *REFERENCES),
    "scheme": ("http", "https"),
    "reply": mostly("right", *REPLIES, REFUSED, BLACK_HOLE),
    "faulty": ("every", "first", "second"),
    "environment": mostly("plain", *ENVIRONMENTS),
    "command": [*["waits"] * 3 * len(COMMANDS), *COMMANDS],
    "runtime_api": ("", "", "right", "mute", "dripping", REFUSED),
    "deadline": (0.05, 0.3, 1, 2, 3),
    "signal": (0, 0, 0, 0, signal.SIGINT, signal.SIGTERM),
    "moment": [round(0.02 * 1.05**step, 3) for step in range(100)],
    "pid_1": (False, False, False, True),
    "stdin": mostly(DEV_NULL, CLOSED),
    "stdout": mostly(PIPE, CLOSED, DEV_FULL),
    "stderr": mostly(PIPE, CLOSED, DEV_FULL, FULL_PIPE, BROKEN_PIPE),
    "nofile": [*[None] * 12, 3, 4, 5, 6, 8, 10, 16],
    "nproc": [*[None] * 12, 1, 2, 4, 8],
    "as_": [*[None] * 12, 20 * MB, 30 * MB, 40 * MB, 60 * MB, 80 * MB, 120 * MB, 200 * MB],
    "stack": [*[None] * 12, 131_072, 262_144, 524_288, 1_048_576],
    "fsize": [*[None] * 12, 0, 4096],
}


def with_secret(right: Reply, text: str) -> Reply:
    """The right reply with this text as the secret; parameters stay as they are, since any text is right for them."""
    body = json.loads(right.body)
    return by_length(json.dumps({**body, "SecretString": text}).encode()) if "SecretString" in body else right
