"""A Lambda function that returns the requested environment variables: {"names": [...]}.

It is for trying things out: anyone who can invoke it can read the secrets.
"""

import os


def handler(event, context):
    """The value of each name in `event["names"]`, null for one that is not set."""
    return {"environment": {name: os.environ.get(name) for name in event["names"]}}
