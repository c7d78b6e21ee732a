"""Signatures: AWS's published vectors, and botocore's own signer."""

from __future__ import annotations

from calendar import timegm
from datetime import datetime
from time import strptime
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from run_lambda_entrypoint.aws.credentials import Credentials
from run_lambda_entrypoint.aws.direct import sigv4

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = timegm(strptime("20150830T123600Z", "%Y%m%dT%H%M%SZ"))
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwth"
    "Ax7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAk"
    "iY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
FORM = "application/x-www-form-urlencoded"

# AWS's "Signature Version 4 test suite" (aws-sig-v4-test-suite), as its SDKs carry it: names, requests and signatures
# are those in awslabs/aws-c-auth tests/aws-signing-test-suite/v4 and in @aws-sdk/signature-v4 suite.fixture. Here are
# its requests without a query and with a path that needs no escaping. By name: method, path, headers, body.
PATH = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
REQUESTS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "get-vanilla": ("GET", "/", {}, b""),
    "get-header-value-trim": ("GET", "/", {"My-Header1": " value1", "My-Header2": ' "a   b   c"'}, b""),
    "get-unreserved": ("GET", PATH, {}, b""),
    "post-vanilla": ("POST", "/", {}, b""),
    "post-header-key-sort": ("POST", "/", {"My-Header1": "value1"}, b""),
    "post-header-key-sort, upper case": ("POST", "/", {"MY-HEADER1": "value1"}, b""),  # ours: signed in lower case
    "post-header-value-case": ("POST", "/", {"My-Header1": "VALUE1"}, b""),
    "post-x-www-form-urlencoded": ("POST", "/", {"Content-Type": FORM}, b"Param1=value1"),
    "post-x-www-form-urlencoded-parameters": ("POST", "/", {"Content-Type": f"{FORM}; charset=utf8"}, b"Param1=value1"),
    "post-sts-header-before": ("POST", "/", {}, b""),
}
SIGNATURES = {
    "get-vanilla": "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    "get-header-value-trim": "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    "get-unreserved": "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    "post-vanilla": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    "post-header-key-sort": "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    "post-header-key-sort, upper case": "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    "post-header-value-case": "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    "post-x-www-form-urlencoded": "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    "post-x-www-form-urlencoded-parameters": "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
    "post-sts-header-before": "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_of_the_published_suite_is_signed_as_published(name: str) -> None:
    method, path, headers, body = REQUESTS[name]
    token = TOKEN if "-sts-" in name else ""
    complete = {"Host": "example.amazonaws.com", **headers}
    signed = sigv4.signed(
        method,
        path,
        complete,
        body,
        credentials=Credentials(KEY_ID, SECRET, token),
        region="us-east-1",
        service="service",
        time=MOMENT,
    )
    names = sorted(["host", "x-amz-date", *map(str.lower, headers), *(["x-amz-security-token"] if token else [])])
    scope = f"{KEY_ID}/20150830/us-east-1/service/aws4_request"
    assert signed["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(names)}, Signature={SIGNATURES[name]}"
    )


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)
LABELS = st.from_regex(r"[a-z]{2}-[a-z]+-[0-9]", fullmatch=True)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31))  # noqa: DTZ001 - UTC, as botocore's own


@settings(deadline=None)
@given(
    credentials=st.tuples(TEXT, KEYS, st.just("") | TEXT),
    region=LABELS,
    service=st.sampled_from(["secretsmanager", "ssm"]),
    moment=MOMENTS,
    values=st.tuples(TEXT, TEXT),
    body=st.binary(),
)
def test_any_request_is_signed_as_botocore_signs_it(
    credentials: tuple[str, str, str], region: str, service: str, moment: datetime, values: tuple[str, str], body: bytes
) -> None:
    host = f"{service}.{region}.amazonaws.com"
    headers = dict(zip(("Content-Type", "X-Amz-Target"), values, strict=True))
    key_id, secret, token = credentials
    request = AWSRequest("POST", f"https://{host}/", headers, body)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(BotocoreCredentials(key_id, secret, token or None), service, region).add_auth(request)
    signed = sigv4.signed(
        "POST",
        "/",
        {"Host": host, **headers},
        body,
        credentials=Credentials(key_id, secret, token),
        region=region,
        service=service,
        time=timegm(moment.utctimetuple()),
    )
    assert signed == {"Host": host, **dict(request.headers.items())}
