"""What botocore's exceptions mean, and what of them may be shown.

Never their text: it may quote a reply, a line of a file or a URL, and so a key.
"""

from __future__ import annotations

import os
import re
from http.client import HTTPException, IncompleteRead
from ssl import SSLError

from botocore import exceptions
from urllib3.exceptions import HTTPError, InvalidChunkLength

from ...errors import (
    CREDENTIALS_MISSING,
    CREDENTIALS_UNREACHABLE,
    FILE_LIMITS,
    INVALID_AWS_CONFIGURATION,
    PROXY_FAILED,
    UNAVAILABLE,
    UNREACHABLE,
    EntrypointError,
    internal,
    misconfigured,
    too_many_files,
)
from ...native import CertificateError, TlsError, sockets, tls
from ...text import printable
from .. import classify, endpoints, trust
from . import sources
from .sources import LOGIN
from .wire import INVALID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..services import Service
    from .wire import Exchange

# By class, or the nearest of its bases; with those of its fields that may be shown: constants of botocore, and the path
# or profile that a variable names. Of a class that is not here only the name is shown.
SENTENCES: Mapping[type[BaseException], str] = {
    exceptions.ConfigNotFound: "{path} does not exist",
    exceptions.ConfigParseError: "cannot parse {path}; expected [PROFILE] and lines of NAME = VALUE below it, each "
    "name once, in UTF-8 without a byte order mark",
    exceptions.EndpointProviderError: "no endpoint for this combination of Region, FIPS, dual-stack and "
    "AWS_ENDPOINT_URL",
    exceptions.InvalidChecksumConfigError: "{config_key} is not valid; expected {valid_options}",
    exceptions.InvalidDefaultsMode: "defaults_mode or AWS_DEFAULTS_MODE is not valid; expected {valid_modes}",
    exceptions.InfiniteLoopConfigError: "the profiles' source_profile settings form a loop",
    exceptions.InvalidIMDSEndpointError: "the endpoint of EC2's metadata service is not a valid URL",
    exceptions.InvalidIMDSEndpointModeError: "the endpoint mode of EC2's metadata service must be IPv4 or IPv6",
    exceptions.InvalidProxiesConfigError: "a file that the settings of the proxy name cannot be used",
    exceptions.InvalidRegionError: "the Region is not valid",
    exceptions.InvalidSTSRegionalEndpointsConfigError: "sts_regional_endpoints or AWS_STS_REGIONAL_ENDPOINTS must be "
    "regional or legacy",
    exceptions.LoginError: "a login_session cannot be used here; pass session credentials",
    exceptions.MissingDependencyException: "a setting requires awscrt, which is not part of the archive",
    exceptions.PartialCredentialsError: "{cred_var} is missing in {source}",
    exceptions.ProfileNotFound: "profile {profile} does not exist; check AWS_PROFILE and AWS_CONFIG_FILE",
    exceptions.SSOError: f"no valid SSO session; {LOGIN}",
    exceptions.TokenRetrievalError: f"the SSO session has expired; {LOGIN}",
    exceptions.UnsupportedSignatureVersionError: "the signature version is not supported",
}
PATH_VARIABLES = (
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CREDENTIAL_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
# Of a profile, those that botocore says are missing, not valid, or contradict another.
PROFILE_SETTINGS = (
    *("role_arn", "source_profile", "credential_source", "web_identity_token_file", "account_id_endpoint_mode"),
    *("sso_session", "sso_account_id", "sso_role_name", "sso_region", "sso_start_url"),
    "request_min_compression_size_bytes",
)
# Of a request of credentials: the parameter, and the settings that it is from.
PARAMETERS = {
    "WebIdentityToken": ("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"),
    "RoleArn": ("AWS_ROLE_ARN", "role_arn"),
    "RoleSessionName": ("AWS_ROLE_SESSION_NAME", "role_session_name"),
    "DurationSeconds": ("", "duration_seconds"),
    "ExternalId": ("", "external_id"),
}
TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")  # http.client's words; those of the proxy follow
CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,99}")  # of an error of AWS, not a status


def explained(
    error: Exception, exchange: Exchange, environ: Mapping[str, str], stores: Sequence[trust.Store] = ()
) -> EntrypointError:
    """What it means that botocore raised `error` after the last exchange, which was verified against `stores`."""
    if isinstance(error, exceptions.ClientError):  # of a service that provides credentials: ours raise in _read
        return _service_error(error, exchange, environ)
    if isinstance(error, exceptions.NoCredentialsError):
        return EntrypointError(
            CREDENTIALS_MISSING,
            "no AWS credentials in the environment, in ~/.aws, or from the container's or instance's metadata; give "
            "the function a role, or pass yours: docker run -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY "
            "-e AWS_SESSION_TOKEN ...",
        )
    if isinstance(error, exceptions.NoRegionError):
        return EntrypointError(INVALID_AWS_CONFIGURATION, "no Region; set AWS_REGION, or use the secret's full ARN")
    sentence = next((SENTENCES[kind] for kind in type(error).__mro__ if kind in SENTENCES), "")
    if sentence and isinstance(error, exceptions.BotoCoreError):
        lists = {
            name: ", ".join(sorted(map(str, value)))
            for name, value in error.kwargs.items()
            if isinstance(value, (list, tuple))
        }
        fields = {**error.kwargs, **lists, "source": sources.source(exchange, environ)}
        return misconfigured(sentence.format(**{name: printable(str(value)) for name, value in fields.items()}))
    if isinstance(error, exceptions.InvalidConfigError):
        return _invalid_setting(error)
    if isinstance(error, exceptions.ParamValidationError):
        return _invalid_parameter(error, environ)
    if exchange.error and isinstance(error, exceptions.BotoCoreError):
        fields = getattr(exchange.error, "kwargs", {})
        if isinstance(fields.get("error"), ValueError) and not exchange.sent:  # urllib3's LocationValueError is one
            return _invalid_url(fields["error"], exchange, environ)
        if isinstance(exchange.error, exceptions.ProxyConnectionError):
            if exchange.proxy == INVALID:
                return _invalid_proxy(exchange)
            return _proxy_error(exchange, _cause(exchange.error), stores)
        return _network_error(exchange, _cause(exchange.error), stores)
    if isinstance(error, SSLError):  # while the context was made: those of connections are in the exchange
        return internal(error)
    if isinstance(error, OSError) and error.errno in FILE_LIMITS:
        return too_many_files()
    if isinstance(error, OSError):
        return _file_error(error, environ)
    unusable = sources.unusable(error, exchange, environ)
    if unusable:
        return unusable
    if exchange.status:
        return _refused(exchange)
    return misconfigured(f"botocore raised {type(error).__name__}; check the AWS_* variables and the profile")


def invalid_endpoint(service: Service, environ: Mapping[str, str]) -> EntrypointError:
    """The URL that is configured for a service is not one."""
    variable = endpoints.url_variable(service, environ)
    return endpoints.invalid_url(variable or f"the profile's endpoint_url for {service.name}")


def no_answer(exchange: Exchange) -> EntrypointError:
    """There is no answer from whom the exchange is with."""
    return _of(exchange, classify.no_answer(_route(exchange), sent=exchange.sent), by_proxy=_by_proxy(exchange))


def _invalid_setting(error: exceptions.InvalidConfigError) -> EntrypointError:
    """Of botocore's message only the settings' names are shown: it may have their values too."""
    text = str(error.kwargs.get("error_msg", ""))
    named = " and ".join(name for name in PROFILE_SETTINGS if name in text) or "a setting"
    return misconfigured(
        f"{named} of the profile, or in a variable, is missing, not valid, or contradicts another setting"
    )


def _invalid_parameter(error: exceptions.ParamValidationError, environ: Mapping[str, str]) -> EntrypointError:
    """A parameter of a request of credentials. botocore's report may have its value too."""
    report = str(error.kwargs.get("report", ""))
    found = [settings for parameter, settings in PARAMETERS.items() if parameter in report]
    named = [variable if environ.get(variable) else f"the profile's {setting}" for variable, setting in found]
    return misconfigured(f"the value from {' and '.join(named) or 'a setting of the role'} is too short or not valid")


def _invalid_url(error: ValueError, exchange: Exchange, environ: Mapping[str, str]) -> EntrypointError:
    # Of what is encoded, the service's own credentials were checked: the proxy's are left.
    if exchange.proxy == INVALID or (
        exchange.proxy and isinstance(error, UnicodeError) and not exchange.is_for_credentials
    ):
        return _invalid_proxy(exchange)
    if exchange.is_for_credentials and exchange.provider == sources.CONTAINER:
        return sources.invalid_uri(environ)
    return misconfigured(
        "a URL (of the endpoint, a proxy, or the source of the credentials) or a credential of the "
        "source_profile is not valid"
    )


def _invalid_proxy(exchange: Exchange) -> EntrypointError:
    return misconfigured(
        f"{exchange.proxy_variable} is not a valid URL; expected http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT "
        "with special characters percent-encoded"
    )


def _service_error(error: exceptions.ClientError, exchange: Exchange, environ: Mapping[str, str]) -> EntrypointError:
    """AWS's own code and message, if the reply is an error of AWS at all."""
    details = error.response.get("Error", {})
    code, text = details.get("Code"), details.get("Message")
    if not isinstance(code, str) or not isinstance(text, str) or not CODE.fullmatch(code):
        return _refused(exchange)
    token = (
        f" with the token in {sources.token_file(exchange, environ)}"
        if exchange.provider == sources.WEB_IDENTITY
        else ""
    )
    failed = f"{error.operation_name} for the credentials{token} failed"
    return classify.service_error(code, f"{failed}: {text}" if text else failed, exchange.status)


def _refused(exchange: Exchange) -> EntrypointError:
    """A reply that may be anything: the credentials of which one is missing, or under a status that is not 200."""
    return classify.service_error(
        f"HTTP {exchange.status}", f"{exchange.name} did not return valid credentials", exchange.status
    )


def _file_error(error: OSError, environ: Mapping[str, str]) -> EntrypointError:
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    for variable in PATH_VARIABLES:
        if environ.get(variable) and error.filename == os.path.expanduser(environ[variable]):
            path = printable(environ[variable])
            return EntrypointError(
                INVALID_AWS_CONFIGURATION, f"{variable}={path} cannot be read ({reason}); correct the path"
            )
    return misconfigured(f"a file that it names cannot be read ({reason}); check the profile's paths")


def _network_error(exchange: Exchange, cause: Exception, stores: Sequence[trust.Store]) -> EntrypointError:
    of_host = isinstance(cause, (CertificateError, TlsError)) or not _by_proxy(exchange)
    name = exchange.name if of_host else _route(exchange)
    error = classify.connection_error(name, cause, _tried(cause, stores), sent=exchange.sent)
    return _of(exchange, error, by_proxy=not of_host)


def _by_proxy(exchange: Exchange) -> bool:
    """Whether it may be a proxy that there is no connection with the host."""
    return bool(exchange.proxy) and not exchange.sent


def _route(exchange: Exchange) -> str:
    return f"{exchange.name} through {exchange.proxy_name}" if _by_proxy(exchange) else exchange.name


def _of(exchange: Exchange, error: EntrypointError, *, by_proxy: bool) -> EntrypointError:
    """`error`, as one of the proxy or of the source of the credentials if it is one."""
    kind = error.kind
    if by_proxy and kind in (UNREACHABLE, UNAVAILABLE):
        kind = PROXY_FAILED
    elif exchange.is_for_credentials and kind is UNREACHABLE:
        kind = CREDENTIALS_UNREACHABLE
    return EntrypointError(kind, str(error), retryable=error.retryable)


def _proxy_error(exchange: Exchange, cause: Exception, stores: Sequence[trust.Store]) -> EntrypointError:
    """The proxy could not be reached, or refused the connection (RFC 9110, 9.3.6); of its reply only the status is
    shown."""
    refusal = TUNNEL.match(str(cause))
    if refusal:
        status = int(refusal[1])
        reason = ", so its URL needs a valid user and password: http://USER:PASSWORD@HOST:PORT" if status == 407 else ""
        return EntrypointError(
            PROXY_FAILED,
            f"{exchange.proxy_name} refused to connect to {exchange.name}: HTTP {status}{reason}",
            retryable=status == 429 or status >= 500,
        )
    error = classify.connection_error(exchange.proxy_name, cause, _tried(cause, stores))
    return _of(exchange, error, by_proxy=True)


def _tried(cause: Exception, stores: Sequence[trust.Store]) -> list[str]:
    """The stores that were of no use, if that is what was wrong."""
    if isinstance(cause, CertificateError) and cause.code in classify.UNKNOWN_ISSUER:
        return [store.name for store in stores if trust.context(store.read())]
    return []


def _cause(error: BaseException) -> Exception:
    """The innermost error below the layers of botocore and urllib3, as `classify.connection_error` takes it."""
    layer: BaseException | None = error
    while layer is not None:
        found = _standard(layer)
        if found:
            return found
        layer = _below(layer)
    timeouts = (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError)
    return TimeoutError() if isinstance(error, timeouts) else ConnectionResetError()


def _standard(layer: BaseException) -> Exception | None:
    """The error that `native` would raise for what this layer is, or stands for; None if it is only a layer."""
    if isinstance(layer, OSError) and not isinstance(layer, (exceptions.BotoCoreError, HTTPError)):
        return tls.translated(sockets.translated(layer))
    not_http = isinstance(layer, HTTPException) and not isinstance(layer, IncompleteRead)
    if not_http or (isinstance(layer, InvalidChunkLength) and layer.length):
        return ValueError()
    return None


def _below(layer: BaseException) -> BaseException | None:
    inner = layer.kwargs.get("error") if isinstance(layer, exceptions.BotoCoreError) else None
    reason = getattr(layer, "reason", None)
    known = inner or (reason if isinstance(reason, BaseException) else None) or layer.__cause__ or layer.__context__
    # urllib3 raises what a proxy's TLS failed with inside an error of its own that was never raised itself.
    return known or next((argument for argument in layer.args if isinstance(argument, BaseException)), None)
