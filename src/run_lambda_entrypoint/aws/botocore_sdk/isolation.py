"""What botocore must not see, and what it must not say. Before botocore is imported: it looks for HOME then."""

from __future__ import annotations

import logging
import os
import warnings


def isolate() -> None:
    """Changes os.environ, since botocore reads it itself; the command's environment does not come from there."""
    os.environ.pop("SSLKEYLOGFILE", None)  # urllib3 would write the keys of TLS to that file
    for name in [name for name, value in os.environ.items() if not value and name.startswith("AWS_")]:
        del os.environ[name]  # the emulator makes empty credentials out of missing ones
    # With no HOME and no passwd entry, or a relative HOME, botocore would read "./~/.aws/config" from the working
    # directory and run a credential_process that it finds there.
    if not os.path.isabs(os.path.expanduser("~")):
        os.environ["HOME"] = "/nonexistent"
    # Libraries log and warn with parts of requests and replies, and what nobody handles goes to standard error.
    logging.disable()
    warnings.simplefilter("ignore")
