"""A Secrets Manager (and Parameter Store) on this machine: moto's server.

It is a process of its own, since moto heeds the AWS settings of the process that it is in: here there are none.
"""

import base64
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.harness.http_server import Request
from tests.harness.process import Output, Surroundings, started, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's

_ROOT = Path(__file__).parents[2]
_SETUP = "SETUP"  # the access key of what prepares a test, which stays out of the log


class SecretsApi:
    """A running API."""

    def __init__(self, address: str, port: int, log: Output) -> None:
        self.endpoint_url = f"http://{address}:{port}"
        self._address = address
        self._port = port
        self._log = log

    @property
    def requests(self) -> list[Request]:
        """What programs sent so far, in the order of arrival; what prepares a test is left out."""
        lines = map(json.loads, self._log.text().splitlines()[1:])
        return [Request(method, path, headers, body.encode()) for method, path, headers, body in lines]

    def environ(self, **more: str) -> dict[str, str]:
        """What a program needs to call this API, and `more`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
            "LAMBDA_ENV_TIMEOUT_SECONDS": "30",  # no test fails because the machine is slow
            **more,
        }

    def create_secret(self, name: str, value: str | bytes | None, *, region: str = REGION) -> str:
        """Stores a SecretString, or for bytes a SecretBinary, for None neither, and returns its ARN. A name can be used
        once."""
        if value is None:
            content = {}
        elif isinstance(value, str):
            content = {"SecretString": value}
        else:
            content = {"SecretBinary": base64.b64encode(value).decode()}
        reply = self._set_up("secretsmanager", "secretsmanager.CreateSecret", region, {"Name": name, **content})
        return str(reply["ARN"])

    def put_secret_value(self, name: str, value: str, *stages: str, region: str = REGION) -> str:
        """Stores a new version of a secret under these staging labels, and returns its id. The labels leave the
        versions that had them; AWSCURRENT leaves AWSPREVIOUS behind."""
        parameters = {
            "SecretId": name,
            "SecretString": value,
            "VersionStages": stages,
            "ClientRequestToken": str(uuid4()),
        }
        reply = self._set_up("secretsmanager", "secretsmanager.PutSecretValue", region, parameters)
        return str(reply["VersionId"])

    def delete_secret(self, name: str, *, region: str = REGION) -> None:
        """Marks a secret for deletion."""
        self._set_up("secretsmanager", "secretsmanager.DeleteSecret", region, {"SecretId": name})

    def put_parameter(
        self, name: str, value: str, *, kind: str = "SecureString", region: str = REGION, label: str = ""
    ) -> str:
        """Stores a parameter, as the next version of one of that name, and returns its ARN. `label` is for this
        version, and leaves the one that had it."""
        parameters = {"Name": name, "Value": value, "Type": kind, "Overwrite": True}
        reply = self._set_up("ssm", "AmazonSSM.PutParameter", region, parameters)
        if label:
            labelled = {"Name": name, "ParameterVersion": reply["Version"], "Labels": [label]}
            self._set_up("ssm", "AmazonSSM.LabelParameterVersion", region, labelled)
        return f"arn:aws:ssm:{region}:{ACCOUNT}:parameter/{name.removeprefix('/')}"

    def _set_up(self, service: str, target: str, region: str, parameters: Mapping[str, Any]) -> Any:
        # Without botocore, which would heed the caller's AWS settings. moto checks no signature, it reads the region
        # and the service off it.
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={_SETUP}/20000101/{region}/{service}/aws4_request",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": target,
        }
        with closing(HTTPConnection(self._address, self._port, timeout=60)) as connection:
            connection.request("POST", "/", json.dumps(parameters), headers)
            reply = connection.getresponse()
            body = reply.read()
        if reply.status != HTTPStatus.OK:
            raise ValueError(f"{target} was refused with {reply.status}: {body!r}")
        return json.loads(body)


@contextmanager
def serving(address: str = "127.0.0.1") -> Iterator[SecretsApi]:
    """Serves on a free port of this machine's `address`, empty at first."""
    arguments = [sys.executable, "-m", "tests.harness.secrets_api", address]
    surroundings = Surroundings(environ={"HOME": "/nonexistent"}, directory=_ROOT)
    with Output() as log, started(arguments, surroundings, stdout=log.descriptor, stderr=None) as process:
        wait_until(lambda: "\n" in log.text() or process.poll() is not None, what="moto's server")
        if process.returncode is not None:
            raise ChildProcessError(f"moto's server ended with {process.returncode}")
        yield SecretsApi(address, int(log.text()), log)


def serve(address: str) -> None:
    """Serves until it is killed. Writes to standard output its port, then a line of JSON for each request."""
    # Only the server's own process pays the second that moto takes to import.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: PLC0415
    from werkzeug.serving import make_server  # noqa: PLC0415

    class Handler(MotoRequestHandler):
        # One write for a reply, and no waiting for the acknowledgement of the one before: Nagle's algorithm and a
        # delayed acknowledgement would make 40 ms out of every reply.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing; errors are written to standard error."""

    app = _logged(DomainDispatcherApplication(create_backend_app))
    server = make_server(address, 0, app, threaded=True, request_handler=Handler)
    _write(str(server.port))
    server.serve_forever()


def _logged(app: "WSGIApplication") -> "WSGIApplication":
    def logging(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        if f"={_SETUP}/" not in headers.get("authorization", ""):
            _write(json.dumps([environ["REQUEST_METHOD"], environ["PATH_INFO"], headers, body.decode()]))
        return app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    return logging


def _write(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # in one call, so that the threads' lines stay apart


if __name__ == "__main__":
    serve(sys.argv[1])
