"""Secrets of AWS Secrets Manager."""

from __future__ import annotations

from .. import variables
from ..aws.call import Call
from ..aws.services import SECRETS_MANAGER
from ..errors import INVALID_SECRET, UNAVAILABLE, EntrypointError
from ..references import BASE64_PREFIX, CURRENT_STAGE, arn_region
from ..text import printable
from ..variables import Value
from . import json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..aws.call import Reply
    from ..references import Reference

SUFFIX_LENGTH = len("-AbCdEf")


def plan(references: Sequence[Reference], region: str) -> dict[Reference, Call]:
    """The call that answers each reference; several references to one version of a secret share one."""
    calls: dict[tuple[str, str, str], Call] = {}
    planned = {}
    for reference in references:
        params = {"SecretId": reference.target, "VersionStage": reference.stage, "VersionId": reference.version}
        present = {name: text for name, text in params.items() if text}
        call = Call(SECRETS_MANAGER, "GetSecretValue", present, reference.region or region)
        stage = reference.stage or ("" if reference.version else CURRENT_STAGE)
        planned[reference] = calls.setdefault((reference.target, stage, reference.version), call)
    return planned


def values(reference: Reference, call: Call, reply: Reply) -> dict[str, Value]:
    """The variables that a reference sets. Raises EntrypointError, also if `reply` does not answer `call`."""
    problem = _other_secret(reference, call.region, reply) or _other_version(reference, reply)
    if problem:
        raise _invalid(f"the reply does not answer the request: {problem}")
    return {
        name: Value(text, reference.target, str(reply.get("VersionId") or ""), arn_region(reply["ARN"]))
        for name, text in _texts(reference, reply).items()
    }


def resources(reference: Reference) -> list[str]:
    """The secret: with `??????` for the six characters that Secrets Manager appends to its name, if an ARN may lack
    them also without."""
    name = reference.target.split(":", 6)[-1]
    with_suffix = f"secret:{name}-??????"
    may_be_whole = reference.target.startswith("arn:") and _is_suffix(name[-SUFFIX_LENGTH:])
    return [f"secret:{name}", with_suffix] if may_be_whole else [with_suffix]


def _other_secret(reference: Reference, region: str, reply: Reply) -> str:
    """Why this is not the secret that was requested in `region` ("" if only botocore knows that), or nothing."""
    arn = reply.get("ARN")
    if not isinstance(arn, str):
        return "it contains no ARN"
    if reference.target.startswith("arn:"):
        # An ARN may be written without the hyphen and six characters that Secrets Manager appends to a name.
        same = arn == reference.target or (
            arn[:-SUFFIX_LENGTH] == reference.target and _is_suffix(arn[-SUFFIX_LENGTH:])
        )
        return "" if same else "the ARN differs"
    if reply.get("Name") != reference.target:
        return "the Name differs"
    return "the ARN is in another Region" if region and arn_region(arn) != region else ""


def _other_version(reference: Reference, reply: Reply) -> str:
    """Why this is not the version that was requested, or nothing."""
    stages = reply.get("VersionStages")
    if reference.version and reply.get("VersionId") != reference.version:
        return "the VersionId differs"
    if not reference.stage and (reference.version or stages is None):
        return ""
    stage = reference.stage or CURRENT_STAGE
    return "" if isinstance(stages, list) and stage in stages else f"VersionStages does not contain {stage}"


def _is_suffix(text: str) -> bool:
    return len(text) == SUFFIX_LENGTH and text[0] == "-" and text[1:].isascii() and text[1:].isalnum()


def _texts(reference: Reference, reply: Reply) -> dict[str, str]:
    naming = reference.naming
    if not reference.key and not reference.name:
        texts = json_object.texts(_text(reference, reply))
        return variables.check(naming.named(texts), "variable") if naming else variables.check(texts)
    value: str | bytes
    if reference.key:
        value = json_object.text(_text(reference, reply), reference.key, nested=bool(reference.name))
    else:
        value = _content(reply) if reference.binary else _text(reference, reply)
    text = variables.base64(value) if reference.binary else str(value)
    name = reference.name or (naming.name(reference.key) if naming else reference.key)
    return variables.check({name: text}, "variable" if reference.name or naming else "key")


def _text(reference: Reference, reply: Reply) -> str:
    content = _content(reply)
    try:
        return content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError:
        store = "store a JSON object as text"
        if reference.name and not reference.key:
            store = f"store it as base64 text, or use {BASE64_PREFIX}{printable(reference.name, 100)} to get its base64"
        raise EntrypointError(INVALID_SECRET, f"the secret is binary but not valid UTF-8; {store}") from None


def _content(reply: Reply) -> str | bytes:
    """What is stored: SecretString, or the bytes of SecretBinary, which is base64 on the wire."""
    text, binary = reply.get("SecretString"), reply.get("SecretBinary")
    if isinstance(text, str):
        return text
    if not isinstance(binary, str):
        raise _invalid("the reply contains neither SecretString nor SecretBinary")
    # Saves 4 ms on every start without a binary secret: base64 imports re.
    from base64 import b64decode  # noqa: PLC0415

    try:
        return b64decode(binary, validate=True)
    except ValueError:
        raise _invalid("the reply's SecretBinary is not base64") from None


def _invalid(problem: str) -> EntrypointError:
    return EntrypointError(UNAVAILABLE, f"{problem}; check that the endpoint is Secrets Manager")
