"""A Lambda function that answers with the variables that it is asked for: {"names": [...]}."""

import os
from collections.abc import Mapping, Sequence


def handler(event: Mapping[str, Sequence[str]], context: object) -> dict[str, dict[str, str | None]]:
    """The value of each name in `event["names"]`, null for one that is not set."""
    return {"environment": {name: os.environ.get(name) for name in event["names"]}}
