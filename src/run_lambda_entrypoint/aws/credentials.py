"""AWS credentials in the environment."""

from __future__ import annotations

from ..errors import INVALID_AWS_CONFIGURATION, EntrypointError
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID_CHARACTER = (
    "contains a space, a line break or another character that is not valid in credentials; copy it again"
)
VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


class Credentials(Record):
    """What a request is signed with; `token` is "" for long-term credentials."""

    key_id: str
    secret: str
    token: str


def check(environ: Mapping[str, str]) -> None:
    """Raises EntrypointError for credentials that no transport can use."""
    for name in VARIABLES:
        if not usable(environ.get(name, "")):
            raise EntrypointError(INVALID_AWS_CONFIGURATION, f"{name} {INVALID_CHARACTER}")
    if environ.get("AWS_ACCESS_KEY_ID") and not environ.get("AWS_SECRET_ACCESS_KEY"):
        raise EntrypointError(
            INVALID_AWS_CONFIGURATION, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; set both, or neither"
        )


def usable(value: str) -> bool:
    """Whether `value` may be part of a request: it would end up in a header, or make a signature that nobody can
    explain."""
    return value.isascii() and value.isprintable() and " " not in value


def read(environ: Mapping[str, str]) -> Credentials:
    """The credentials, which must be there."""
    # In botocore's order; the first is the token's old name.
    token = environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or ""
    return Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
