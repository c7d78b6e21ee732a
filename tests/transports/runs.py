"""One run of the archive, what it is served, and its message about each secret."""

from __future__ import annotations

import re
import ssl
from collections import defaultdict
from time import monotonic
from typing import TYPE_CHECKING

from tests.harness.entrypoint import aws

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import trustme

    from tests.harness.entrypoint import Ended, Entrypoint, Words
    from tests.harness.http_server import Answer, Reply, Request

PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
REPORT = re.compile(rf"run-lambda-entrypoint: {PREFIX}(\S+): secret \S+: (.*)")
PLENTY = 30
"""A deadline that no test waits for, unless it fails, in seconds."""

SLACK = 20
"""What a start may take on a busy machine before a run that is over its deadline counts as hung, in seconds."""

SHORT = {"direct": 1, "botocore": 6}
"""Deadlines that come soon, but leave the time to start, in seconds."""


CLOCK = re.compile(r"time is \w{3}, [^,]* GMT")


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's, with this certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


def scripted(script: Mapping[str, Sequence[Reply]]) -> Answer:
    """The first reply for a secret to the first request for it and so on; the last again and again."""
    count: dict[str, int] = defaultdict(int)

    def answer(request: Request) -> Reply:
        name = request.json["SecretId"]
        replies = script[name]
        reply = replies[min(count[name], len(replies) - 1)]
        count[name] += 1
        return reply

    return answer


def run(
    entrypoint: Entrypoint,
    transport: str,
    url: str,
    names: Iterable[str] = ("name",),
    *,
    seconds: float = PLENTY,
    before: Words = (),
    **more: str,
) -> Ended:
    """Runs the archive for the secrets `names`, each in a variable of its own, at `url`; it becomes `cat environ`."""
    environ = aws(
        url,
        {f"{PREFIX}{name}": name for name in names},
        LAMBDA_ENV_TRANSPORT=transport,
        LAMBDA_ENV_TIMEOUT_SECONDS=str(seconds),
        **more,
    )
    begin = monotonic()
    ended = entrypoint("cat", "/proc/self/environ", environ=environ, before=before)
    assert monotonic() - begin < seconds + SLACK, f"hung: {ended.err}"
    return ended


def messages(ended: Ended, host: str) -> dict[str, str]:
    """The message on each secret, with HOST for `host`, N for the deadline, NOW for this machine's time; any other line
    stands for itself."""
    found = {}
    for line in ended.err.splitlines():
        report = REPORT.fullmatch(line)
        name, message = report.groups() if report else (line, "")
        message = re.sub(r"within \d+ s", "within N s", message.replace(host, "HOST"))
        found[name] = CLOCK.sub("time is NOW", message)
    return found
