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
    FILE_LIMITS,
    INVALID_AWS_CONFIGURATION,
    EntrypointError,
    internal,
    too_many_files,
)
from ...native import CertificateError, sockets, tls
from ...text import printable
from .. import classify, trust
from .processes import CREDENTIAL_PROCESS
from .wire import authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .wire import Exchange

LOGIN = "run `aws sso login` for the profile, or pass session credentials"
# By class, or the nearest of its bases; with those of its fields that may be shown: constants of botocore, and the path
# or profile that a variable names. Of a class that is not here only the name is shown.
SENTENCES: Mapping[type[BaseException], str] = {
    exceptions.ConfigNotFound: "{path} does not exist",
    exceptions.ConfigParseError: "cannot parse {path}",
    exceptions.EndpointProviderError: "no endpoint for this combination of Region, FIPS, dual-stack and "
    "AWS_ENDPOINT_URL",
    exceptions.InfiniteLoopConfigError: "the profiles' source_profile settings form a loop",
    exceptions.InvalidConfigError: "a setting of the profile is missing, not valid, or contradicts another; check its "
    "role_arn, source_profile, credential_source, web_identity_token_file and sso_* settings",
    exceptions.InvalidIMDSEndpointError: "the endpoint of EC2's metadata service is not a valid URL",
    exceptions.InvalidIMDSEndpointModeError: "the endpoint mode of EC2's metadata service must be IPv4 or IPv6",
    exceptions.InvalidProxiesConfigError: "a file that the settings of the proxy name cannot be used",
    exceptions.InvalidRegionError: "the Region is not valid",
    exceptions.LoginError: "a login_session cannot be used here; pass session credentials",
    exceptions.MissingDependencyException: "a setting requires awscrt, which is not part of the archive",
    exceptions.ParamValidationError: "a value for the request of credentials is not valid; check role_arn, "
    "role_session_name, and the token in web_identity_token_file or AWS_WEB_IDENTITY_TOKEN_FILE",
    exceptions.PartialCredentialsError: "{cred_var} is missing (botocore's provider {provider})",
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
CONTAINER_VARIABLES = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
CODE = re.compile(r"[A-Za-z][A-Za-z.]{0,99}")  # of an error of AWS, not a status


def explained(
    error: Exception, exchange: Exchange, environ: Mapping[str, str], stores: Sequence[trust.Store] = ()
) -> EntrypointError:
    """What it means that botocore raised `error` after the last exchange, which was verified against `stores`."""
    if isinstance(error, exceptions.ClientError):  # of a service that provides credentials: ours raise in _read
        return _service_error(error, exchange)
    if isinstance(error, exceptions.NoCredentialsError):
        return EntrypointError(
            CREDENTIALS_MISSING,
            "no AWS credentials in the environment, in ~/.aws, or from the container's or instance's metadata; give "
            "the function a role, or pass yours: docker run -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY "
            "-e AWS_SESSION_TOKEN ...",
        )
    if isinstance(error, exceptions.NoRegionError):
        return misconfigured("no Region; set AWS_REGION, or use the secret's full ARN")
    sentence = next((SENTENCES[kind] for kind in type(error).__mro__ if kind in SENTENCES), "")
    if sentence and isinstance(error, exceptions.BotoCoreError):
        shown = {name: printable(str(value)) for name, value in error.kwargs.items()}
        return misconfigured(f"AWS configuration: {sentence.format(**shown)}")
    if exchange.error and isinstance(error, exceptions.BotoCoreError):
        fields = getattr(exchange.error, "kwargs", {})
        if isinstance(fields.get("error"), ValueError) and not exchange.sent:  # urllib3's LocationValueError is one
            return misconfigured(
                "AWS configuration: a URL (of the endpoint, a proxy, or the source of the credentials) or a token is "
                "not valid"
            )
        host = authority(fields["proxy_url"]) if "proxy_url" in fields else exchange.name
        return _network_error(host, _cause(exchange.error), stores, sent=exchange.sent)
    if isinstance(error, SSLError):  # while the context was made: those of connections are in the exchange
        return internal(error)
    if isinstance(error, OSError) and error.errno in FILE_LIMITS:
        return too_many_files()
    if isinstance(error, OSError):
        return _file_error(error, environ)
    if exchange.host == CREDENTIAL_PROCESS:
        return misconfigured("AWS configuration: credential_process did not print valid credentials")
    if exchange.status:
        return _refused(exchange)
    named = [name for name in CONTAINER_VARIABLES if environ.get(name)]
    if type(error) is ValueError and not exchange.host:  # of the sources that botocore refuses before it asks them
        return misconfigured(
            f"AWS configuration: {', '.join([*named, 'credential_process'])}: one of these is not valid; expected an "
            "HTTP or HTTPS URL of this machine or of a container service, a path that starts with /, a token without "
            "line breaks, and a command line whose quotes are closed"
        )
    return misconfigured(
        f"AWS configuration: botocore raised {type(error).__name__}; check the AWS_* variables and the profile"
    )


def misconfigured(message: str) -> EntrypointError:
    """What the user has configured cannot be used."""
    return EntrypointError(INVALID_AWS_CONFIGURATION, message)


def invalid_endpoint(service: str) -> EntrypointError:
    """The URL that is configured for a service is not one."""
    return misconfigured(
        f"AWS_ENDPOINT_URL, or another setting of the endpoint of {service}, is not a valid URL; expected "
        "https://HOST, https://HOST:PORT or https://HOST/PATH"
    )


def _service_error(error: exceptions.ClientError, exchange: Exchange) -> EntrypointError:
    """AWS's own code and message, if the reply is an error of AWS at all."""
    details = error.response.get("Error", {})
    code, text = details.get("Code"), details.get("Message")
    if not isinstance(code, str) or not isinstance(text, str) or not CODE.fullmatch(code):
        return _refused(exchange)
    failed = f"{error.operation_name} for the credentials failed"
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
            return misconfigured(f"{variable}={path} cannot be read ({reason}); correct the path")
    return misconfigured(
        f"AWS configuration: a file that it names cannot be read ({reason}); check the profile's paths"
    )


def _network_error(host: str, cause: Exception, stores: Sequence[trust.Store], *, sent: bool) -> EntrypointError:
    tried: list[str] = []
    if isinstance(cause, CertificateError) and cause.code in classify.UNKNOWN_ISSUER:
        tried = [store.name for store in stores if trust.context(store.read())]
    return classify.connection_error(host, cause, tried, sent=sent)


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
