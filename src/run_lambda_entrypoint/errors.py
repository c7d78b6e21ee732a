"""The catalog of failures. No message ever contains a value of a secret."""

from __future__ import annotations

import errno

from .record import Record
from .text import escaped, printable, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IN_ARCHIVE = frozenset({"botocore", "dateutil", "jmespath", "run_lambda_entrypoint", "six", "urllib3"})
ARCHIVE_READERS = ("zipimport", "zipfile", "run_lambda_entrypoint/bytecode")  # in the names of files with code
# Of a report: problems, and bytes of each. A person reads the first few; a log, and whoever pays for it, gets the rest.
MAX_PROBLEMS, MAX_PROBLEM_SIZE = 20, 1_500
# A process, or the machine, has as many files open as it may.
FILE_LIMITS = frozenset({errno.EMFILE, errno.ENFILE})


class Kind(Record):
    """A kind of failure: what Lambda is told, what it means, and the exit code of the process.

    The Runtime API requires error types of the form `Function.Xxx`, letters only.
    """

    error_type: str
    meaning: str
    exit_code: int = 125


INVALID_ARGUMENTS = Kind("Function.InvalidArguments", "invalid command-line arguments", 2)
INVALID_SETTING = Kind("Function.InvalidConfiguration", "an option variable has an invalid value")
INVALID_AWS_CONFIGURATION = Kind(
    "Function.InvalidConfiguration", "the Region or other AWS configuration is missing or invalid"
)
CREDENTIALS_MISSING = Kind("Function.CredentialsMissing", "no AWS credentials were found")
CREDENTIALS_REFUSED = Kind("Function.CredentialsRefused", "AWS rejects the credentials: they are wrong or expired")
WRONG_CLOCK = Kind("Function.CredentialsRefused", "AWS rejects the signature: the clock is wrong")
INVALID_REFERENCE = Kind("Function.InvalidReference", "a variable does not contain a valid reference")
SECRET_NOT_FOUND = Kind(
    "Function.SecretNotFound", "Secrets Manager has no such secret, or no such version (`ResourceNotFoundException`)"
)
PARAMETER_NOT_FOUND = Kind(
    "Function.ParameterNotFound", "Parameter Store has no such parameter, or none below the path"
)
ACCESS_DENIED = Kind("Function.SecretAccessDenied", "no policy allows the role to read it (`AccessDeniedException`)")
EXPLICITLY_DENIED = Kind("Function.SecretAccessDenied", "a policy explicitly denies it (`AccessDeniedException`)")
NOT_DECRYPTED = Kind("Function.SecretDecryptionFailed", "KMS could not decrypt it (`DecryptionFailure`)")
UNREACHABLE = Kind("Function.SecretUnavailable", "a host could not be reached, or did not answer in time")
PROXY_FAILED = Kind("Function.SecretUnavailable", "a proxy could not be reached, or refused the connection")
CREDENTIALS_UNREACHABLE = Kind("Function.SecretUnavailable", "the source of the credentials could not be reached")
THROTTLED = Kind("Function.SecretUnavailable", "AWS throttles the requests")
MARKED_FOR_DELETION = Kind("Function.SecretUnavailable", "the secret is scheduled for deletion")
UNAVAILABLE = Kind("Function.SecretUnavailable", "the reply is an error or not valid")
CERTIFICATE_NOT_TRUSTED = Kind("Function.CertificateNotTrusted", "the certificate of a host is not trusted")
CERTIFICATE_OF_ANOTHER_HOST = Kind("Function.CertificateNotTrusted", "it is for another host")
CERTIFICATE_EXPIRED = Kind("Function.CertificateNotTrusted", "it has expired")
CERTIFICATE_NOT_YET_VALID = Kind("Function.CertificateNotTrusted", "it is not yet valid: the clock is wrong")
INVALID_SECRET = Kind("Function.InvalidSecret", "it was fetched, but cannot be loaded as variables")
INVALID_TEMPLATE = Kind("Function.InvalidTemplate", "a template is not valid, or contains a variable that is not set")
REQUIRED_MISSING = Kind(
    "Function.RequiredVariableMissing", "a variable that `LAMBDA_ENV_REQUIRED` names is not set, or empty"
)
OVERRIDE_DENIED = Kind(
    "Function.OverrideDenied", "a variable would be overridden, and `LAMBDA_ENV_ON_OVERRIDE` is `deny`"
)
ENVIRONMENT_TOO_LARGE = Kind("Function.EnvironmentTooLarge", "the kernel rejects the size of the environment")
COMMAND_NOT_EXECUTABLE = Kind(
    "Function.CommandNotExecutable", "the command or the wrapper was found but cannot be executed", 126
)
COMMAND_NOT_FOUND = Kind(
    "Function.CommandNotFound", "the command, the wrapper, or the interpreter of either was not found", 127
)
INTERRUPTED = Kind("Function.Interrupted", "SIGINT arrived before the command was started", 130)
TERMINATED = Kind("Function.Interrupted", "SIGTERM arrived before the command was started", 143)
NOTHING_SENT = Kind("Function.SecretUnavailable", "the time was used up before a request could be sent")
NOT_WRITTEN = Kind("Function.EntrypointFailed", "standard output cannot be written to")
TOO_MANY_FILES = Kind("Function.EntrypointFailed", "the limit of open files is too low")
FAILED = Kind(
    "Function.EntrypointFailed",
    "a limit of the machine, an incomplete Python, or a bug in this program (which says so)",
)


class EntrypointError(Exception):
    """Root of all expected failures.

    `str(error)` is the report: one line of at most MAX_PROBLEM_SIZE bytes, whatever is in `message`, that says what is
    wrong, where it was read from and what to do.
    `retryable` says whether the same request may succeed later. `reference` is the variable that the failure is about,
    `source` the secret or parameter, "" where there is none.
    """

    def __init__(
        self, kind: Kind, message: str, *, retryable: bool = False, reference: str = "", source: str = ""
    ) -> None:
        super().__init__(shortened(escaped(message), MAX_PROBLEM_SIZE))
        self.kind = kind
        self.retryable = retryable
        self.reference = reference
        self.source = source

    def reports(self) -> list[EntrypointError]:
        """The failures to show, one line each."""
        return [self]

    def fields(self) -> dict[str, str]:
        """What JSON has beside the message; docs/errors.md lists the names."""
        return {"errorType": self.kind.error_type, "reference": self.reference, "source": self.source}


class CombinedError(EntrypointError):
    """All failures at once: three bad secrets are one report of three lines, not three deployments."""

    def __init__(self, errors: Iterable[EntrypointError]) -> None:
        self._reports = [report for error in errors for report in error.reports()]
        super().__init__(self._reports[0].kind, "; ".join(map(str, self._reports)))

    def reports(self) -> list[EntrypointError]:
        return self._reports


class ServiceError(EntrypointError):
    """AWS replied with an error: its name for it (`AccessDeniedException`), its message and the reply's Date header."""

    def __init__(self, kind: Kind, code: str, text: str, *, retryable: bool = False, date: str = "") -> None:
        super().__init__(kind, f"{code}: {text}" if text else code, retryable=retryable)
        self.code = code
        self.text = text
        self.date = date


def first(reports: Sequence[EntrypointError], count: int = MAX_PROBLEMS) -> list[EntrypointError]:
    """At most `count` of them, and one that says how many more there are."""
    more = len(reports) - count
    if more <= 0:
        return list(reports)
    rest = EntrypointError(reports[0].kind, f"and {more:,} more; --dry-run --format json lists all")
    return [*reports[:count], rest]


def invalid_reference(variable: str, message: str) -> EntrypointError:
    """A variable that does not contain a valid reference; its value is not shown, since it may be the secret itself."""
    name = printable(variable, 100)
    return EntrypointError(INVALID_REFERENCE, f"{name} {message}", reference=name)


def misconfigured(message: str) -> EntrypointError:
    """What the user has configured for AWS cannot be used."""
    return EntrypointError(INVALID_AWS_CONFIGURATION, f"AWS configuration: {message}")


def too_many_files() -> EntrypointError:
    """No file or connection can be opened, for now: others may be closed while the call is retried."""
    return EntrypointError(
        TOO_MANY_FILES,
        "cannot open another file or connection; raise the limit of open files (ulimit -n)",
        retryable=True,
    )


def internal(error: Exception) -> EntrypointError:
    """A bug in this program, reported by type and function: the message of an unexpected error may contain anything.

    What Python lacks is none: a module, memory, a descriptor.
    """
    if _is_out_of_memory(error):
        return EntrypointError(FAILED, "out of memory; give the function more memory")
    if isinstance(error, OSError) and error.errno in FILE_LIMITS:
        return too_many_files()
    if isinstance(error, PermissionError) and error.filename and __file__.startswith(f"{error.filename}/"):
        # The executable needs the archive in it for botocore alone, so it can start without.
        return EntrypointError(FAILED, f"{printable(error.filename)} cannot be read; run chmod 0755 on it in the image")
    if type(error).__name__ == "SSLError":  # not imported: while a context is made, no connection is at fault
        return EntrypointError(
            FAILED, "OpenSSL cannot be set up; give the function more memory, or check OPENSSL_CONF and what it names"
        )
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace else None
    if _is_damage(error, code.co_filename if code else ""):
        message = "the file is damaged, or was replaced while it started; copy it again, and check it with sha256sum"
        return EntrypointError(FAILED, message)
    if isinstance(error, ModuleNotFoundError):
        message = f"this Python lacks the module {error.name}; install its complete standard library"
        return EntrypointError(FAILED, message)
    if isinstance(error, ImportError):  # a shared library that cannot be mapped, for instance
        message = f"cannot load the module {error.name}; give the function more memory, or use a complete Python"
        return EntrypointError(FAILED, message)
    # The function's first line: the archive's bytecode has no others.
    place = f"{code.co_name} ({code.co_filename}:{code.co_firstlineno})" if code else "an unknown place"
    return EntrypointError(FAILED, f"internal error: {type(error).__name__} at {place}; please report it")


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory is short: CPython says so in several ways, and zipimport hides them behind errors of its own."""
    if error is None:
        return False
    return (
        isinstance(error, (MemoryError, SystemError))  # the latter where C code forgot to raise the former
        or str(error).startswith("can't allocate ")  # a lock of importlib, or of a file: a RuntimeError
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or _is_out_of_memory(error.__context__)
    )


def _is_damage(error: Exception, raised_in: str) -> bool:
    """Whether `error` comes from reading our own archive, which is read on while the program runs: most starts need
    only its first entries."""
    if isinstance(error, ImportError):
        # Without a name it is zipimport's. What else is in the archive cannot be missing in it.
        return error.name is None or error.name.partition(".")[0] in IN_ARCHIVE
    return isinstance(error, SyntaxError) or any(reader in raised_in for reader in ARCHIVE_READERS)
