"""LAMBDA_ENV_ON_OVERRIDE: what happens where a secret would override a variable."""

import pytest

from tests.behavior.test_leaks import MARKER, traces
from tests.harness.entrypoint import Ended, Entrypoint, aws
from tests.harness.http_server import http_server, secrets

PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
ENVIRON = ("cat", "/proc/self/environ")
TEXTS = {"first": '{"OWN": "first", "NEW": "first"}', "second": '{"NEW": "second"}', "marker": '{"OWN": "hunter2ZXQJ"}'}
OWN = f"secret first ({PREFIX}A) overrides OWN, which the function's configuration sets"
EARLIER = f"secret second ({PREFIX}B) overrides NEW, which secret first ({PREFIX}A) sets"


def ended(entrypoint: Entrypoint, policy: str, *names: str, **more: str) -> Ended:
    """A start with these secrets, in order, and the variable OWN."""
    references = {PREFIX + "ABC"[index]: name for index, name in enumerate(names)}
    with http_server(secrets(TEXTS)) as server:
        environ = aws(server.url, references, OWN="own", LAMBDA_ENV_ON_OVERRIDE=policy, **more)
        return entrypoint(*ENVIRON, environ=environ)


@pytest.mark.parametrize("policy", ["", "allow", "Allow "])
def test_an_override_is_allowed_silently(entrypoint: Entrypoint, policy: str) -> None:
    run = ended(entrypoint, policy, "first", "second")
    assert (run.code, run.err, run.environ["OWN"], run.environ["NEW"]) == (0, "", "first", "second")


def test_each_override_is_a_warning(entrypoint: Entrypoint) -> None:
    run = ended(entrypoint, "warn", "first", "second")
    assert (run.code, run.environ["OWN"], run.environ["NEW"]) == (0, "first", "second")
    assert run.err.splitlines() == [f"run-lambda-entrypoint: warning: {line}" for line in (OWN, EARLIER)]


def test_each_override_is_denied(entrypoint: Entrypoint) -> None:
    run = ended(entrypoint, "deny", "first", "second")
    assert (run.code, run.out) == (125, b"")
    assert run.err.splitlines() == [
        f"run-lambda-entrypoint: {line}; LAMBDA_ENV_ON_OVERRIDE=deny forbids this" for line in (OWN, EARLIER)
    ]


@pytest.mark.parametrize("policy", ["warn", "deny"])
def test_where_nothing_is_overridden_nothing_is_reported(entrypoint: Entrypoint, policy: str) -> None:
    run = ended(entrypoint, policy, "second")
    assert (run.code, run.err, run.environ["NEW"]) == (0, "", "second")


@pytest.mark.parametrize("policy", ["warn", "deny"])
def test_a_single_value_overrides_too(entrypoint: Entrypoint, policy: str) -> None:
    run = ended(entrypoint, policy, LAMBDA_ENV_VALUE_FROM_OWN="second:NEW::")
    assert "secret second (LAMBDA_ENV_VALUE_FROM_OWN) overrides OWN, which the function's configuration sets" in run.err


def test_an_unknown_policy_is_refused_before_any_network_call(entrypoint: Entrypoint) -> None:
    run = ended(entrypoint, "refuse", "not-there")
    expected = 'LAMBDA_ENV_ON_OVERRIDE is "refuse"; must be one of allow, warn, deny, keep'
    assert (run.code, run.err) == (125, f"run-lambda-entrypoint: {expected}\n")


@pytest.mark.parametrize("policy", ["warn", "deny"])
def test_an_override_never_shows_a_value(entrypoint: Entrypoint, policy: str) -> None:
    run = ended(entrypoint, policy, "marker", "first")
    assert ("overrides OWN" in run.err, traces(run.err), MARKER in run.err) == (True, [], False)
