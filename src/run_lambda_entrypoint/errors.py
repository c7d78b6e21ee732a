"""What can go wrong, as the user is told about it. No message ever holds a value of a secret."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class EntrypointError(Exception):
    """Root of all expected failures.

    `str(error)` is the report: one line that says what is wrong, where it was read from and what to do.
    `exit_code` is what the process ends with, `error_type` is what Lambda is told (the form is set by the Runtime
    API: `Function.Xxx`, letters only).
    """

    exit_code = 125
    error_type = "Function.EntrypointFailed"

    subject: dict[str, str] = {}  # noqa: RUF012 - never changed, only replaced

    def reports(self) -> list[EntrypointError]:
        """The failures to show, one line each; `subject` of each names the variable and secret, where there is one."""
        return [self]


class CombinedError(EntrypointError):
    """All failures at once: three bad secrets are one report of three lines, not three deployments."""

    def __init__(self, errors: Iterable[EntrypointError]) -> None:
        self.errors = [report for error in errors for report in error.reports()]
        super().__init__("; ".join(map(str, self.errors)))
        self.error_type = self.errors[0].error_type

    def reports(self) -> list[EntrypointError]:
        return self.errors


class SecretError(EntrypointError):
    """Why the secret that a variable asks for could not be loaded, and what to do about it."""

    def __init__(self, variable: str, kind: str, target: str, cause: EntrypointError, remedy: str) -> None:
        variable = printable(variable)
        super().__init__(f"{variable}: {kind} {target}: {cause}" + (f"; {remedy}" if remedy else ""))
        self.subject = {"variable": variable, "secret": target}
        self.error_type = cause.error_type


class UsageError(EntrypointError):
    """Wrong arguments."""

    exit_code = 2
    error_type = "Function.InvalidArguments"


class OptionVariableError(EntrypointError):
    """A variable that sets an option has a wrong value."""

    error_type = "Function.InvalidConfiguration"


class CommandNotExecutableError(EntrypointError):
    """The command was found but the kernel will not run it."""

    exit_code = 126
    error_type = "Function.CommandNotExecutable"


class CommandNotFoundError(EntrypointError):
    """The command, or the interpreter that its first line names, does not exist."""

    exit_code = 127
    error_type = "Function.CommandNotFound"


class InvalidReferenceError(EntrypointError):
    """A variable holds something that is no reference to a secret."""

    error_type = "Function.InvalidReference"

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(f"{printable(variable)} {message}")
        self.subject = {"variable": printable(variable)}


class DocumentError(EntrypointError):
    """A secret was fetched but cannot become environment variables."""

    error_type = "Function.InvalidSecret"


class ParameterNotFoundError(EntrypointError):
    """SSM does not know a parameter, or has nothing below a path."""

    error_type = "Function.ParameterNotFound"


class OverrideError(EntrypointError):
    """A variable would be overridden, which LAMBDA_ENV_ON_OVERRIDE=deny forbids."""

    error_type = "Function.OverrideDenied"


class EnvironmentTooLargeError(EntrypointError):
    """The kernel refused the size of arguments and environment together."""

    error_type = "Function.EnvironmentTooLarge"


class ConfigurationError(EntrypointError):
    """Credentials, region or other AWS configuration is missing or wrong."""

    error_type = "Function.InvalidConfiguration"


class CredentialsMissingError(ConfigurationError):
    """No credentials were found."""

    error_type = "Function.CredentialsMissing"


class FetchError(EntrypointError):
    """A request did not bring its secret.

    `passing` says whether asking again may help.
    """

    error_type = "Function.SecretUnavailable"

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class NetworkError(FetchError):
    """A host could not be reached, or did not answer."""


class CertificateError(FetchError):
    """A host's certificate is not trusted."""

    error_type = "Function.CertificateNotTrusted"


class DeadlineError(FetchError):
    """The time was up; `fault` is the last passing fault, if there was any."""

    def __init__(self, message: str, fault: FetchError) -> None:
        super().__init__(message)
        self.fault = fault
        self.error_type = fault.error_type


class ServiceError(FetchError):
    """AWS answered, with an error.

    `code` is AWS's name for it (`AccessDeniedException`), `text` its message, `date` the reply's Date header;
    `throttled` says that it was asked too often.
    """

    def __init__(
        self, code: str, text: str, *, passing: bool, throttled: bool = False, date: str = ""
    ) -> None:
        super().__init__(f"{code}: {text}" if text else code, passing=passing)
        self.code = code
        self.text = text
        self.throttled = throttled
        self.date = date
        self.error_type = ERROR_TYPES.get(code, FetchError.error_type)


ERROR_TYPES = {
    "AccessDeniedException": "Function.SecretAccessDenied",
    "DecryptionFailure": "Function.SecretDecryptionFailed",
    "ResourceNotFoundException": "Function.SecretNotFound",
    **dict.fromkeys(
        (
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "RequestTimeTooSkewed",
            "UnrecognizedClientException",
        ),
        "Function.CredentialsRefused",
    ),
}


class InterruptedBySignalError(EntrypointError):
    """SIGINT or SIGTERM came before the command was started."""

    error_type = "Function.Interrupted"

    def __init__(self, name: str) -> None:
        super().__init__(f"interrupted by {name} before the command was started")


def internal(error: Exception) -> EntrypointError:
    """A fault of this program's own, told by type and place: the message of an unexpected error may hold anything."""
    if isinstance(error, ImportError):
        return EntrypointError(
            f"this Python lacks the module {error.name}; install all of its standard library"
        )
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (
        f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "an unknown place"
    )
    return EntrypointError(f"internal error: {type(error).__name__} at {place}; please report it")


def printable(text: str, limit: int = 400) -> str:
    """`text` as it may stand in one line of a log: no control characters, no lone surrogates, at most `limit` long."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
