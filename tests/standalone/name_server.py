"""A DNS server on port 53 of the test's own network."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from socketserver import BaseRequestHandler, UDPServer
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.harness.http_server import listening

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping


class Question(NamedTuple):
    protocol: str
    name: str
    kind: str


@contextmanager
def name_server(records: Mapping[str, Mapping[str, str]], *, truncating: bool = False) -> Iterator[list[Question]]:
    """Answers on 127.0.0.1 over UDP and TCP, and yields the questions. `truncating`: over UDP without an address, and
    with the bit that says to retry over TCP."""
    questions: list[Question] = []

    def answer(query: bytes, protocol: str) -> bytes:
        message = dns.message.from_wire(query)
        question = message.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        questions.append(Question(protocol, name, kind))
        response = dns.message.make_response(message)
        if name not in records:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif truncating and protocol == "UDP":
            response.flags |= dns.flags.TC
        elif kind in records[name]:
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, records[name][kind]))
        return response.to_wire()

    class Datagram(BaseRequestHandler):
        def handle(self) -> None:
            query, server = self.request
            server.sendto(answer(query, "UDP"), self.client_address)

    def stream(connection: socket.socket) -> None:
        with connection.makefile("rwb") as file:
            while size := file.read(2):
                response = answer(file.read(*struct.unpack(">H", size)), "TCP")
                file.write(struct.pack(">H", len(response)) + response)
                file.flush()

    with listening(stream, "127.0.0.1", 53), UDPServer(("127.0.0.1", 53), Datagram) as server:
        serving = Thread(target=server.serve_forever, args=[0.01])
        serving.start()
        try:
            yield questions
        finally:
            server.shutdown()
            serving.join()
