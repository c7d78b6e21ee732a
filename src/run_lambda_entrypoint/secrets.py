"""From references to the variables that they set."""

from __future__ import annotations

from . import documents
from .aws import Call, choice
from .aws.fetch import fetch
from .environment import Value
from .errors import CombinedError, DocumentError, EntrypointError, FetchError, SecretError
from .references import SECRET, region_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .aws import Reply
    from .deadline import Deadline
    from .log import Log
    from .references import Reference

CURRENT = "AWSCURRENT"  # what Secrets Manager answers with when it is not told a stage


def load(
    references: Sequence[Reference], environ: Mapping[str, str], wish: str, deadline: Deadline, log: Log
) -> list[dict[str, Value]]:
    """The variables of each reference, in order; what is asked for twice is fetched once.

    Raises CombinedError with a SecretError for each reference that failed, after all have been tried.
    """
    plan = _plan(references)
    calls = list(dict.fromkeys(plan.values()))
    transport = choice.transport(environ, calls, wish, log)
    outcomes = dict(zip(calls, fetch(calls, transport, deadline, log), strict=True))
    loaded, errors = [], []
    for reference in references:
        try:
            loaded.append(_values(reference, outcomes[plan[reference]]))
        except EntrypointError as error:
            # Only now: a start that goes well need not pay for it.
            from .remedies import remedy

            advice = remedy(error, reference, reference.region or choice.own_region(environ))
            errors.append(SecretError(reference.variable, reference.kind, reference.target, error, advice))
    if errors:
        raise CombinedError(errors)
    return loaded


def _plan(references: Sequence[Reference]) -> dict[Reference, Call]:
    """The call that answers each reference; several references to one version of a secret have one call."""
    calls: dict[tuple[str, str, str], Call] = {}
    plan = {}
    for reference in references:
        if reference.kind == SECRET:
            asked = {
                "SecretId": reference.target,
                "VersionStage": reference.stage,
                "VersionId": reference.version,
            }
            parameters = {name: text for name, text in asked.items() if text}
            call = Call("secretsmanager", "GetSecretValue", parameters, reference.region)
            stage = reference.stage or ("" if reference.version else CURRENT)
            plan[reference] = calls.setdefault((reference.target, stage, reference.version), call)
    if len(plan) < len(references):
        from . import parameters as ssm

        plan |= ssm.plan([reference for reference in references if reference.kind != SECRET])
    return plan


def _values(reference: Reference, outcome: Reply | EntrypointError) -> dict[str, Value]:
    if isinstance(outcome, EntrypointError):
        raise outcome
    if reference.kind != SECRET:
        from . import parameters as ssm

        return ssm.values(reference, outcome)
    version, arn = outcome.get("VersionId"), outcome.get("ARN")
    return {
        name: Value(text, reference.target, str(version or ""), region_of(str(arn or reference.target)))
        for name, text in _variables(reference, _text(outcome)).items()
    }


def _variables(reference: Reference, text: str) -> dict[str, str]:
    if not reference.key and not reference.sets:
        return documents.variables(text)
    value = documents.value(text, reference.key, nested=bool(reference.sets)) if reference.key else text
    return documents.checked({reference.sets or reference.key: value})


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
