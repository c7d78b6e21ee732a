"""The least Python that fetches secrets and becomes a command: no option, no check, no retry, no word on what failed.

One connection, one secret after another; started with -IS.
"""

import hmac
import json
import os
import socket
import ssl
import sys
import time
from hashlib import sha256

environ = dict(os.environ)
host, _, port = environ["AWS_ENDPOINT_URL"].removeprefix("https://").partition(":")
names = sorted(name for name in environ if name.startswith("LAMBDA_ENV_SECRETS_MANAGER_ARN_"))

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(environ["AWS_CA_BUNDLE"])
connection = context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)

for name in ["SECRETS_MANAGER_ARN", *names]:
    body = json.dumps({"SecretId": environ[name]}).encode()
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/{environ['AWS_REGION']}/secretsmanager/aws4_request"
    headers = (
        "content-type:application/x-amz-json-1.1\n"
        f"host:{host}:{port}\n"
        f"x-amz-date:{now}\n"
        "x-amz-target:secretsmanager.GetSecretValue\n"
    )
    signed = "content-type;host;x-amz-date;x-amz-target"
    request = f"POST\n/\n\n{headers}\n{signed}\n{sha256(body).hexdigest()}"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers += (
        f"authorization:AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}\n"
        f"content-length:{len(body)}\n"
    )
    connection.sendall(f"POST / HTTP/1.1\n{headers}\n".replace("\n", "\r\n").encode() + body)
    reply = b""
    while not reply.endswith(b"}"):
        reply += connection.recv(65536)
    environ |= json.loads(json.loads(reply.partition(b"\r\n\r\n")[2])["SecretString"])

os.execve(sys.argv[1], sys.argv[1:], environ)
