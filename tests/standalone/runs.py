"""A Secrets Manager behind TLS, and the executable fetching one secret from it."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from tests.conformance.certificates import leaf
from tests.harness.entrypoint import aws
from tests.harness.http_server import Server, http_server, secret
from tests.standalone.isolation import AUTHORITY, BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.certificates import Certificate
    from tests.harness.entrypoint import Ended
    from tests.standalone.isolation import Root

HOST = "api.test"
VALUE = (0, b"value\n", "")
"""How a run ends that got its secret."""


@contextmanager
def serving(certificate: Certificate, address: str) -> Iterator[Server]:
    """A Secrets Manager at `address` that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate.server_pem)
        file.flush()
        context.load_cert_chain(file.name)
    with http_server(lambda _: secret('{"KEY": "value"}'), tls=context, host=address) as server:
        yield server


@contextmanager
def served(ca: Certificate, address: str, host: str = "", *, certified: str = "") -> Iterator[str]:
    """A Secrets Manager at `address`; yields its URL, in which it is called `host`. Its certificate is for that, or for
    what is `certified`."""
    with serving(leaf(ca, certified or host or address), address) as server:
        yield f"https://{host}:{server.port}" if host else server.url


def variables(url: str, transport: str, **more: str) -> dict[str, str]:
    """What makes the executable fetch one secret from `url`."""
    return aws(
        url, {"SECRETS_MANAGER_ARN": "name"}, **{"LAMBDA_ENV_TRANSPORT": transport, "AWS_CA_BUNDLE": AUTHORITY, **more}
    )


def fetch(root: Root, url: str, transport: str, **more: str) -> Ended:
    """Runs the executable in the root, which fetches one secret and becomes what prints it."""
    return root.run(BUSYBOX, "sh", "-c", 'echo "$KEY"', environ=variables(url, transport, **more))
