"""AWS credentials in the environment."""

from __future__ import annotations

from ..errors import INVALID_AWS_CONFIGURATION, EntrypointError
from ..record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


class Credentials(Record):
    """What a request is signed with; `token` is "" for long-term credentials."""

    key_id: str
    secret: str
    token: str


def check(environ: Mapping[str, str]) -> None:
    """Raises EntrypointError for credentials that no transport can use."""
    for name in VARIABLES:
        value = environ.get(name, "")
        if not value.isascii() or not value.isprintable() or " " in value:
            # It would end up in a header of the request, or make a signature that nobody can explain.
            raise EntrypointError(
                INVALID_AWS_CONFIGURATION,
                f"{name} contains a space, a line break or another character that is not valid in credentials; "
                "copy it again",
            )
    if environ.get("AWS_ACCESS_KEY_ID") and not environ.get("AWS_SECRET_ACCESS_KEY"):
        raise EntrypointError(
            INVALID_AWS_CONFIGURATION, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not; set both, or neither"
        )


def read(environ: Mapping[str, str]) -> Credentials:
    """The credentials, which must be there."""
    # In botocore's order; the first is the token's old name.
    token = environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or ""
    return Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
