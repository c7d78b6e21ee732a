"""JSON that is nested too deeply is reported, however small the stack is: CPython counts calls, not bytes."""

from __future__ import annotations

import pytest

from tests.harness.entrypoint import Entrypoint, aws, shell
from tests.harness.http_server import Reply, Request, by_length, http_server, secret

NAMES = [f"name{number:02}" for number in range(20)]
REFERENCES = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{name}": name for name in NAMES}
TOO_DEEP = "the secret's JSON is nested more than 100 levels deep"


def answer(request: Request, text: str) -> Reply:
    return secret(text, request.json["SecretId"])


@pytest.mark.parametrize("stack", [128, 256, 1024, 8192], ids="{} KB".format)
@pytest.mark.parametrize("text", ["[" * 65_000, '{"a":' * 13_000, '{"a":' + "[" * 32_000 + "]" * 32_000 + "}"])
def test_in_many_secrets_at_once(entrypoint: Entrypoint, transport: str, text: str, stack: int) -> None:
    with http_server(lambda request: answer(request, text)) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("true", environ=environ, before=shell(f"ulimit -s {stack}"))
    assert (ended.code, ended.out, ended.err.count(TOO_DEEP)) == (125, b"", len(NAMES)), ended.err


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"a":' * 200_000])
def test_in_many_replies_at_once(entrypoint: Entrypoint, transport: str, text: str) -> None:
    with http_server(lambda _: by_length(text.encode())) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("true", environ=environ, before=shell("ulimit -s 256"))
    assert (ended.code, ended.out, ended.err.count("not AWS's JSON")) == (125, b"", len(NAMES)), ended.err


def test_what_is_not_too_deep_becomes_a_variable(entrypoint: Entrypoint, transport: str) -> None:
    deep = "[" * 99 + "]" * 99
    with http_server(lambda _: secret(f'{{"A": {deep}}}')) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("printenv", "A", environ=environ, before=shell("ulimit -s 256"))
    assert ended == (0, f"{deep}\n".encode(), "")
