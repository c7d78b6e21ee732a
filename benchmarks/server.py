"""A local Secrets Manager: GetSecretValue over TLS, signatures checked by botocore, replies after a chosen delay.

python -m benchmarks.server FOLDER DELAY[:PORT]... takes the certificate that `authority` made, delays in milliseconds
and, where no port is given, free ports; it prints the ports in one line.
"""

import json
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from threading import Thread

import trustme
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "eu-west-1"
HOST = f"secretsmanager.{REGION}.amazonaws.com"
KEY_ID, SECRET_KEY = "AKIABENCHMARK", "benchmark/secret/key"

CA, CERTIFICATE = "ca.pem", "server.pem"
"""Files that `authority` writes: the root that clients trust, and the server's key and certificate."""

KEYS_PER_SECRET = 5


def arn(name: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}-AbCdEf"


def authority(folder: Path) -> None:
    """Make a root of trust, and a certificate for this machine and for the host that it stands in for."""
    root = trustme.CA()
    root.cert_pem.write_to_path(folder / CA)
    root.issue_cert("localhost", HOST).private_key_and_cert_chain_pem.write_to_path(folder / CERTIFICATE)


def main() -> None:
    folder, *wishes = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder, CERTIFICATE))
    ports = []
    for wish in wishes:
        delay, _, port = wish.partition(":")
        listening = socket.create_server(("127.0.0.1", int(port or 0)), backlog=64)
        ports.append(listening.getsockname()[1])
        Thread(target=accept, args=(listening, context, float(delay) / 1000)).start()
    print(*ports, flush=True)


def accept(listening: socket.socket, context: ssl.SSLContext, delay: float) -> None:
    while True:
        connection, _ = listening.accept()
        Thread(target=serve, args=(connection, context, delay), daemon=True).start()


def serve(connection: socket.socket, context: ssl.SSLContext, delay: float) -> None:
    """Answer the requests of one connection until the client closes it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(OSError), context.wrap_socket(connection, server_side=True) as stream:
        for headers, body in requests(stream):
            came = time.monotonic()
            status, reply = answer(headers, body)
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(reply)}\r\n\r\n"
            )
            time.sleep(max(0.0, came + delay - time.monotonic()))
            stream.sendall(head.encode() + reply)  # in one piece, as AWS does


def requests(stream: socket.socket) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers (names in lower case) and body of each request."""
    buffer = b""
    while received := stream.recv(65536):
        buffer += received
        head, end, body = buffer.partition(b"\r\n\r\n")
        if not end:
            continue
        lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in lines}
        length = int(headers["content-length"])
        if len(body) >= length:
            yield headers, body[:length]
            buffer = body[length:]


def answer(headers: dict[str, str], body: bytes) -> tuple[str, bytes]:
    if headers["x-amz-target"] != "secretsmanager.GetSecretValue":
        return "400 Bad Request", b'{"__type": "UnknownOperationException"}'
    if headers["authorization"] != authorization(headers, body):
        return "400 Bad Request", b'{"__type": "InvalidSignatureException"}'
    return "200 OK", secret(json.loads(body)["SecretId"])


@lru_cache
def secret(identifier: str) -> bytes:
    name = identifier.split(":")[-1].removesuffix("-AbCdEf")
    values = {f"{name}_{key}": f"value {key} of {name}" for key in range(KEYS_PER_SECRET)}
    return json.dumps({"ARN": identifier, "Name": name, "SecretString": json.dumps(values)}).encode()


def authorization(headers: dict[str, str], body: bytes) -> str:
    """The header that botocore writes for what the client says it signed; nothing if that was not signed just now."""
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest("POST", f"https://{headers['host']}/", {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    sent = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%S%z")
    if abs(datetime.now(timezone.utc) - sent) > timedelta(minutes=5):
        return ""
    auth = SigV4Auth(Credentials(KEY_ID, SECRET_KEY), "secretsmanager", REGION)
    names = auth.signed_headers(auth.headers_to_sign(request))
    proof = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={names}, Signature={proof}"


if __name__ == "__main__":
    main()
