"""Secrets of AWS Secrets Manager."""

from __future__ import annotations

from .. import variables
from ..aws.call import Call
from ..aws.services import SECRETS_MANAGER
from ..errors import INVALID_SECRET, UNAVAILABLE, EntrypointError
from ..references import arn_region
from ..variables import Value
from . import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..aws.call import Reply
    from ..references import Reference

CURRENT = "AWSCURRENT"  # the version that Secrets Manager returns if the request names none


def plan(references: Sequence[Reference], region: str) -> dict[Reference, Call]:
    """The call that answers each reference; several references to one version of a secret share one."""
    calls: dict[tuple[str, str, str], Call] = {}
    planned = {}
    for reference in references:
        params = {"SecretId": reference.target, "VersionStage": reference.stage, "VersionId": reference.version}
        present = {name: text for name, text in params.items() if text}
        call = Call(SECRETS_MANAGER, "GetSecretValue", present, reference.region or region)
        stage = reference.stage or ("" if reference.version else CURRENT)
        planned[reference] = calls.setdefault((reference.target, stage, reference.version), call)
    return planned


def values(reference: Reference, reply: Reply) -> dict[str, Value]:
    """The variables that a reference sets. Raises EntrypointError."""
    version, arn = reply.get("VersionId"), reply.get("ARN")
    region = arn_region(str(arn or reference.target))
    return {
        name: Value(text, reference.target, str(version or ""), region)
        for name, text in _texts(reference, _secret(reply)).items()
    }


def resources(reference: Reference) -> list[str]:
    """The secret: with `??????` for the six characters that Secrets Manager appends to its name."""
    name = reference.target.split(":", 6)[-1]
    whole = name[-7:-6] == "-" and name[-6:].isalnum() and reference.target.startswith("arn:")
    return [f"secret:{name}" if whole else f"secret:{name}-??????"]


def _texts(reference: Reference, secret: str) -> dict[str, str]:
    if not reference.key and not reference.name:
        return variables.check(json_object.texts(secret))
    text = json_object.text(secret, reference.key, nested=bool(reference.name)) if reference.key else secret
    return variables.check({reference.name or reference.key: text}, "variable" if reference.name else "key")


def _secret(reply: Reply) -> str:
    """The secret's text: SecretString, or SecretBinary (base64 on the wire) that is UTF-8."""
    text, binary = reply.get("SecretString"), reply.get("SecretBinary")
    if isinstance(text, str):
        return text
    if not isinstance(binary, str):
        raise EntrypointError(
            UNAVAILABLE,
            "the reply contains neither SecretString nor SecretBinary; check that the endpoint is Secrets Manager",
        )
    # Saves 0.5 ms on every start without a binary secret.
    from base64 import b64decode  # noqa: PLC0415

    try:
        return b64decode(binary, validate=True).decode()
    except ValueError:
        raise EntrypointError(
            INVALID_SECRET, "the secret is binary but not valid UTF-8; store a JSON object as text"
        ) from None
