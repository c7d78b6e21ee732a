"""Secrets: whether a reply answers the request; pure."""

from __future__ import annotations

from typing import Any

import pytest

from run_lambda_entrypoint.errors import UNAVAILABLE, EntrypointError
from run_lambda_entrypoint.loading.secrets_manager import plan, values
from run_lambda_entrypoint.references import PRIMARY_VARIABLE, Reference, read

PARTIAL = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app/db"
ARN = f"{PARTIAL}-AbCdEf"
ID, OTHER_ID = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
MARKER = "correct-horse"


def outcome(text: str, region: str = "eu-west-1", **fields: Any) -> dict[str, str] | str:
    """What the reference `text` loads, or why it does not, from a reply with these fields, or without those that are
    ...: that of another field is as Secrets Manager would give it."""
    [reference] = read({PRIMARY_VARIABLE: text}).references
    whole = {"ARN": ARN, "Name": "app/db", "VersionId": ID, "VersionStages": ["AWSCURRENT"], **fields}
    reply = {name: value for name, value in whole.items() if value is not ...}
    return loaded(reference, region, {"SecretString": f'{{"KEY": "{MARKER}"}}', **reply})


def loaded(reference: Reference, region: str, reply: dict[str, Any]) -> dict[str, str] | str:
    try:
        found = values(reference, plan([reference], region)[reference], reply)
    except EntrypointError as error:
        assert (error.kind, MARKER in str(error)) == (UNAVAILABLE, False)  # noqa: PT017
        return str(error).removeprefix("the reply does not answer the request: ").removesuffix(CHECK)
    return {name: value.text for name, value in found.items()}


CHECK = "; check that the endpoint is Secrets Manager"
WELL = {"KEY": MARKER}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (ARN, {}),
        (ARN, {"Name": ...}),
        (PARTIAL, {}),
        (PARTIAL, {"ARN": PARTIAL}),
        (PARTIAL, {"ARN": f"{PARTIAL}-a1B2c3"}),
        ("app/db", {}),
        (f"app/db:::{ID}", {}),
        (f"app/db:::{ID}", {"VersionStages": []}),
        (f"app/db:::{ID}", {"VersionStages": ["BLUE"]}),
        ("app/db::BLUE:", {"VersionStages": ["GREEN", "BLUE"]}),
        (f"app/db::BLUE:{ID}", {"VersionStages": ["BLUE"]}),
        *(("app/db", {"VersionStages": stages}) for stages in (..., None, ["AWSPENDING", "AWSCURRENT"])),
        *(("app/db", {"VersionId": version}) for version in (..., None, OTHER_ID)),
    ],
)
def test_a_reply_to_the_request_is_loaded(text: str, fields: dict[str, Any]) -> None:
    assert outcome(text, **fields) == WELL


def test_where_only_botocore_knows_the_region_a_reply_from_any_is_loaded() -> None:
    assert outcome("app/db", region="", ARN=ARN.replace("eu-west-1", "eu-west-2")) == WELL


ANOTHER_ARN, ANOTHER_NAME, ANOTHER_REGION = "the ARN differs", "the Name differs", "the ARN is in another Region"
ANOTHER_VERSION, NO_ARN = "the VersionId differs", "it contains no ARN"


@pytest.mark.parametrize(
    ("text", "fields", "problem"),
    [
        *((text, {"ARN": arn}, NO_ARN) for text in (ARN, "app/db") for arn in (..., None, [ARN], {"ARN": ARN}, 1)),
        *((ARN, {"ARN": ARN.replace(*pair)}, ANOTHER_ARN) for pair in (("eu-west-1", "eu-west-2"), ("1234", "4321"))),
        *(
            (ARN, {"ARN": arn}, ANOTHER_ARN)
            for arn in (PARTIAL, f"{PARTIAL}-ABCDEF", f"{ARN}-AbCdEf"[:-1], "", ARN[:-1])
        ),
        *(
            (PARTIAL, {"ARN": f"{PARTIAL}{rest}"}, ANOTHER_ARN)
            for rest in ("-AbCdE", "-AbCdEf7", "_AbCdEf", "-AbCd-f", "-AbCdé1", "2-AbCdEf", "/x-AbCdEf")
        ),
        *(
            ("app/db", {"Name": name}, ANOTHER_NAME)
            for name in ("app", "app/db-AbCdEf", "APP/DB", "", None, ..., ["app/db"])
        ),
        *(("app/db", {"ARN": arn}, ANOTHER_REGION) for arn in (ARN.replace("eu-west-1", "eu-west-2"), "arn", "")),
        *((f"app/db:::{ID}", {"VersionId": version}, ANOTHER_VERSION) for version in (OTHER_ID, "", None, ..., [ID])),
        (f"app/db::BLUE:{ID}", {"VersionId": OTHER_ID, "VersionStages": ["BLUE"]}, ANOTHER_VERSION),
        *(
            (text, {"VersionStages": stages}, "VersionStages does not contain BLUE")
            for text in ("app/db::BLUE", f"app/db::BLUE:{ID}")
            for stages in (["AWSCURRENT"], [], None, ..., "BLUE", {"BLUE": 1})
        ),
        *(
            ("app/db", {"VersionStages": stages}, "VersionStages does not contain AWSCURRENT")
            for stages in (["AWSPREVIOUS"], [], "AWSCURRENT", {"AWSCURRENT": 1}, 1)
        ),
    ],
)
def test_a_reply_to_another_request_is_a_failure(text: str, fields: dict[str, Any], problem: str) -> None:
    assert outcome(text, **fields) == problem
