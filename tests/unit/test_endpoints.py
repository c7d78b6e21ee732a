"""Paths of endpoint variables: the direct transport accepts only those that are signed as they are sent."""

from __future__ import annotations

import pytest

from run_lambda_entrypoint.aws.endpoints import resolve
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER


def path(text: str) -> str | None:
    """The path that is requested of an endpoint at http://host and `text`; None where botocore decides."""
    found = resolve(SECRETS_MANAGER, "eu-west-1", {"AWS_ENDPOINT_URL": f"http://host{text}"})
    return found.path if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("", "/"), ("/", "/"), ("/a", "/a"), ("/a/", "/a/"), ("/a/b.c/-_~", "/a/b.c/-_~")),
        *(
            (text, None)
            for text in ("/...", "/a.", "//", "//a", "/a//", "/a//b", "/.", "/./", "/./a", "/a/.", "/a/./b")
        ),
        *((text, None) for text in ("/..", "/../a", "/a/..", "/a/../b")),
    ],
)
def test_a_path_is_sent_as_it_is_or_left_to_botocore(text: str, expected: str | None) -> None:
    assert path(text) == expected
