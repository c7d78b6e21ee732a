"""Calls to AWS: each one's service, operation, parameters and Region in, its reply out."""

from __future__ import annotations

import posix

from . import credentials, endpoints
from .choose import BOTOCORE, choose
from .send import send_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..deadline import Deadline
    from ..log import Log
    from .call import Call, Transport
    from .endpoints import Endpoint
    from .send import Outcome


def fetch(
    calls: Sequence[Call], environ: Mapping[str, str], transport: str, deadline: Deadline, log: Log
) -> list[tuple[Call, Outcome]]:
    """Each call, in order, in the Region that it was sent to, and its outcome: its reply, or why there is none.
    `transport` is the setting.

    Raises EntrypointError where nothing can be sent at all.
    """
    # OpenSSL, if built so, would write the keys of TLS to that file. The command keeps the variable.
    posix.unsetenv(b"SSLKEYLOGFILE")
    credentials.check(environ)
    resolved = endpoints.resolve_all(calls, environ)
    name, reason = choose(environ, resolved, transport)
    log.debug(f"transport {name}: {reason}")
    sender = _transport(name, environ, resolved)
    outcomes = send_all(calls, sender, deadline, log)
    return [(call.in_region(sender.region(call)), outcome) for call, outcome in zip(calls, outcomes, strict=True)]


def _transport(name: str, environ: Mapping[str, str], resolved: Mapping[tuple[str, str], Endpoint | None]) -> Transport:
    # Each branch saves what the other transport imports: botocore takes 250 ms, direct/ 1 ms.
    if name == BOTOCORE:
        from .botocore_sdk import BotocoreTransport  # noqa: PLC0415

        return BotocoreTransport(environ, resolved)
    from .direct import DirectTransport  # noqa: PLC0415

    known = {key: endpoint for key, endpoint in resolved.items() if endpoint}
    return DirectTransport(environ, credentials.read(environ), known)
