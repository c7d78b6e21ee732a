"""Run as `python -IS become.py DESCRIPTOR`: reads surroundings from a socket, takes them on, becomes the program.

The socket closes when exec succeeds; if it fails, the error's number is written to it. See `process.started`.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Sequence


def become(channel: int) -> None:
    """Becomes the program that is asked for over `channel`. Raises OSError, and JSONDecodeError if none is."""
    os.set_inheritable(channel, False)
    with open(channel, "rb", closefd=False) as reader:
        wish = json.load(reader)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN if number in wish["ignored"] else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, wish["blocked"])
    os.umask(wish["umask"])
    os.chdir(wish["directory"])
    if wish["uid"] is not None:
        os.setgroups([])
        os.setgid(wish["uid"])
        os.setuid(wish["uid"])
    for descriptor in wish["closed"]:
        os.close(descriptor)
    arguments = _strings(wish["arguments"])
    # os.execve takes a mapping, and in that no name stands twice or without a value.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.execve(arguments[0], arguments, _strings(wish["environ"]))
    raise OSError(ctypes.get_errno(), "execve")


def _strings(texts: Sequence[str]) -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * (len(texts) + 1))(*(text.encode("latin-1") for text in texts), None)


if __name__ == "__main__":
    descriptor = int(sys.argv[1])
    try:
        become(descriptor)
    except OSError as error:
        os.write(descriptor, b"%d" % (error.errno or 0))
    except json.JSONDecodeError:
        pass  # the caller was interrupted before it had said what to become
    os._exit(127)
