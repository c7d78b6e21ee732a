"""The least Python on the C modules alone: floor.py without `ssl`, `socket`, `json`, `hashlib`, `hmac` and `os`.

Started with -ISB, as the archive is.
"""

import sys
from _hashlib import hmac_digest, openssl_sha256
from _json import make_scanner
from _socket import AF_INET, SOCK_STREAM, socket
from _ssl import PROTOCOL_TLS_CLIENT, _SSLContext
from posix import environ, execve
from time import gmtime, strftime


class Socket(socket):
    """The TLS object holds its socket by a weak reference, which only a subclass can be given."""


class Decoder:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


host, _, port = environ[b"AWS_ENDPOINT_URL"].decode().removeprefix("https://").partition(":")
names = sorted(name for name in environ if name.startswith(b"LAMBDA_ENV_SECRETS_MANAGER_ARN_"))
scan = make_scanner(Decoder)  # type: ignore[arg-type]

context = _SSLContext(PROTOCOL_TLS_CLIENT)
context.load_verify_locations(environ[b"AWS_CA_BUNDLE"])
plain = Socket(AF_INET, SOCK_STREAM)
plain.connect((host, int(port)))
connection = context._wrap_socket(plain, False, host)  # type: ignore[attr-defined]
connection.do_handshake()

for name in [b"SECRETS_MANAGER_ARN", *names]:
    body = b'{"SecretId": "%b"}' % environ[name]
    now = strftime("%Y%m%dT%H%M%SZ", gmtime())
    scope = f"{now[:8]}/{environ[b'AWS_REGION'].decode()}/secretsmanager/aws4_request"
    headers = f"host:{host}:{port}\nx-amz-date:{now}\nx-amz-target:secretsmanager.GetSecretValue\n"
    signed = "host;x-amz-date;x-amz-target"
    request = f"POST\n/\n\n{headers}\n{signed}\n{openssl_sha256(body).hexdigest()}"
    key = b"AWS4" + environ[b"AWS_SECRET_ACCESS_KEY"]
    for part in scope.split("/"):
        key = hmac_digest(key, part.encode(), "sha256")
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{openssl_sha256(request.encode()).hexdigest()}"
    signature = hmac_digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{environ[b'AWS_ACCESS_KEY_ID'].decode()}/{scope}"
    headers += (
        f"authorization:AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}\n"
        f"content-length:{len(body)}\ncontent-type:application/x-amz-json-1.1\n"
    )
    connection.write(f"POST / HTTP/1.1\n{headers}\n".replace("\n", "\r\n").encode() + body)
    reply = b""
    while not reply.endswith(b"}"):
        reply += connection.read(65536)
    secret = scan(reply.partition(b"\r\n\r\n")[2].decode(), 0)[0]["SecretString"]
    environ |= {name.encode(): value.encode() for name, value in scan(secret, 0)[0].items()}

execve(sys.argv[1], sys.argv[1:], environ)
