"""All stores: each one's calls, all calls at once, each one's values."""

from __future__ import annotations

from .. import aws, reporting
from ..aws.endpoints import default_region
from ..errors import MAX_PROBLEM_SIZE, CombinedError, EntrypointError, ServiceError
from ..references import SECRET
from ..text import printable, shortened
from . import secrets_manager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from ..aws.call import Call, Reply
    from ..deadline import Deadline
    from ..log import Log
    from ..references import Reference
    from ..variables import Value

    class Store(Protocol):
        """The shape of each store's module."""

        def plan(self, references: Sequence[Reference], region: str) -> dict[Reference, Call]:
            """The call that answers each reference; `region` is the function's own."""

        def values(self, reference: Reference, call: Call, reply: Reply) -> dict[str, Value]:
            """The variables that a reference sets. Raises EntrypointError, also if `reply` does not answer `call`."""

        def resources(self, reference: Reference) -> list[str]:
            """What an IAM policy has to allow for a reference, as the resource part of an ARN."""


MAX_TARGET_SIZE = 900  # bytes of a report: more than an ARN of Secrets Manager has, and room for what is wrong with it


def load(
    references: Sequence[Reference], environ: Mapping[str, str], transport: str, deadline: Deadline, log: Log
) -> list[dict[str, Value]]:
    """The variables of each reference, in order; what several references ask for is fetched once.

    Raises CombinedError with an error for each reference that failed, after all have been tried.
    """
    plan: dict[Reference, Call] = {}
    region = default_region(environ)
    stores = {reference: _store(reference.kind) for reference in references}
    for store in dict.fromkeys(stores.values()):
        own = [reference for reference in references if stores[reference] is store]
        plan |= store.plan(own, region)
    calls = list(dict.fromkeys(plan.values()))
    fetched = dict(zip(calls, aws.fetch(calls, environ, transport, deadline, log), strict=True))
    loaded, errors = [], []
    for reference in references:
        store, (call, outcome) = stores[reference], fetched[plan[reference]]
        try:
            if isinstance(outcome, EntrypointError):
                raise outcome
            loaded.append(store.values(reference, call, outcome))
        except EntrypointError as error:
            resources = store.resources(reference)
            hint = reporting.hints.hint(error, reference, call, resources, environ, references)
            errors.append(_explained(error, reference, hint))
    if errors:
        raise CombinedError(errors)
    return loaded


def _store(kind: str) -> Store:
    if kind == SECRET:
        return secrets_manager
    # Saves 0.3 ms on every start without a parameter.
    from . import parameter_store  # noqa: PLC0415

    return parameter_store


def _explained(error: EntrypointError, reference: Reference, hint: str) -> EntrypointError:
    """`error`, with what it was about and what to do about it. What does not fit is AWS's own text first, then the hint
    as a whole: it may be a statement or a command to copy."""
    variable, target = printable(reference.variable, 100), shortened(reference.target, MAX_TARGET_SIZE)
    start, end = f"{variable}: {reference.kind} {target}: ", f"; {hint}" if hint else ""
    room = MAX_PROBLEM_SIZE - len((start + end).encode())
    what = str(error)
    if len(what.encode()) > room and isinstance(error, ServiceError):
        left = room - len(f"{error.code}: ".encode())
        what = f"{error.code}: {shortened(error.text, left)}" if left > 0 else error.code
    if len(what.encode()) > room:
        what, end = str(error), ""
    return EntrypointError(error.kind, start + what + end, reference=variable, source=target)
