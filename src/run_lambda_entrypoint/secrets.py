"""From references to the variables that their secrets set."""

from __future__ import annotations

from . import documents
from .aws import Call, choice
from .aws.fetch import fetch
from .errors import CombinedError, DocumentError, EntrypointError, FetchError, SecretError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .aws import Reply
    from .deadline import Deadline
    from .log import Log
    from .references import Reference


def load(
    references: Sequence[Reference], environ: Mapping[str, str], wish: str, deadline: Deadline, log: Log
) -> list[dict[str, str]]:
    """The variables of each reference, in order; what is asked for twice is fetched once.

    Raises CombinedError with a SecretError for each reference that failed, after all have been tried.
    """
    calls = {
        reference.secret: Call(
            "secretsmanager", "GetSecretValue", {"SecretId": reference.secret}, reference.region
        )
        for reference in references
    }
    transport = choice.transport(environ, list(calls.values()), wish, log)
    outcomes = dict(zip(calls, fetch(list(calls.values()), transport, deadline, log), strict=True))
    loaded, errors = [], []
    for reference in references:
        try:
            loaded.append(_variables(outcomes[reference.secret]))
        except EntrypointError as error:
            # Only now: a start that goes well need not pay for it.
            from .remedies import remedy

            region = reference.region or choice.own_region(environ)
            advice = remedy(error, reference.secret, region)
            errors.append(SecretError(reference.variable, reference.secret, error, advice))
    if errors:
        raise CombinedError(errors)
    return loaded


def _variables(outcome: Reply | EntrypointError) -> dict[str, str]:
    if isinstance(outcome, EntrypointError):
        raise outcome
    return documents.variables(_text(outcome))


def _text(reply: Reply) -> str:
    """The secret's text: SecretString, or SecretBinary (base64 on the wire) holding UTF-8."""
    text, binary = reply.get("SecretString"), reply.get("SecretBinary")
    if isinstance(text, str):
        return text
    if not isinstance(binary, str):
        raise FetchError(
            "the reply holds neither SecretString nor SecretBinary; is the endpoint Secrets Manager?"
        )
    from base64 import b64decode

    try:
        return b64decode(binary, validate=True).decode()
    except ValueError:
        raise DocumentError("the secret is binary and no UTF-8 text; store a JSON object as text") from None
