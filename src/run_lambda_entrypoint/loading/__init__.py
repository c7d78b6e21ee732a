"""From references to the variables that they set: plan the calls, send them, read the replies."""

from __future__ import annotations

import sys

from ..memory import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..deadline import Deadline
    from ..log import Log
    from ..references import Reference
    from ..variables import Value

# Bytes, less than a start with a reference takes, with the stacks of two threads (8 MB): the executable has its OpenSSL
# loaded already.
MEMORY = 12_000_000 if getattr(sys, "frozen", False) else 20_000_000


def load(
    references: Sequence[Reference], environ: Mapping[str, str], transport: str, deadline: Deadline, log: Log
) -> list[dict[str, Value]]:
    """The variables of each reference, in order; `transport` is the setting. Raises CombinedError."""
    if not references:
        return []
    require(MEMORY)
    # Saves 5 ms on every start without a reference: _socket, _ssl, _hashlib, and all of aws/.
    from . import stores  # noqa: PLC0415

    return stores.load(references, environ, transport, deadline, log)
