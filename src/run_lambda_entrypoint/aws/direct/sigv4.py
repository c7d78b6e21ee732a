"""AWS Signature Version 4 for a request whose URL has no query.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

from time import gmtime, strftime

from ...native.hashes import hmac_sha256, sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"


def signed(
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    time: float,
) -> dict[str, str]:
    """`headers`, which include Host, plus those that sign the request; `time` is in seconds since the epoch."""
    moment = strftime("%Y%m%dT%H%M%SZ", gmtime(time))
    complete = {**headers, "X-Amz-Date": moment}
    if credentials.token:
        complete["X-Amz-Security-Token"] = credentials.token
    canonical = sorted((name.lower(), " ".join(value.split())) for name, value in complete.items())
    names = ";".join(name for name, _ in canonical)
    request = "\n".join([method, path, "", *(f"{name}:{value}" for name, value in canonical), "", names, sha256(body)])
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = f"{ALGORITHM}\n{moment}\n{scope}\n{sha256(request.encode())}"
    key = ("AWS4" + credentials.secret).encode()
    for part in scope.split("/"):
        key = hmac_sha256(key, part.encode())
    signature = hmac_sha256(key, to_sign.encode()).hex()
    complete["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return complete
