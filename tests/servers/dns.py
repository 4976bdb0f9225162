"""A name server on loopback, UDP and TCP, that holds what a test gives it and can be as bad as real ones.

`zone` maps names (lower case, no last dot) to kinds and their values as a zone file has them; a TXT value is
plain text, cut into strings of 255, or a list of strings. A name that is not there does not exist, unless
something stands below it. What a name has under CNAME is followed, as a resolver would.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.servers.processes import free_port

Zone = Mapping[str, Mapping[str, Sequence[str | Sequence[str]]]]

_CHAIN_MAX = 8
_UDP_MAX = 512
"""Octets of an answer by UDP to who says nothing of how many it takes."""


class DnsServer:
    """Serves `zone` at `address` while it is entered. `asked` keeps every question as (name, kind, by TCP).

    Names in `failing` get SERVFAIL and those in `refused` REFUSED; about those in `silent` nothing is said.
    An answer that UDP has no room for is truncated there and whole over TCP.
    """

    def __init__(self, zone: Zone | None = None) -> None:
        self.zone: dict[str, Mapping[str, Sequence[str | Sequence[str]]]] = dict(zone or {})
        self.failing: set[str] = set()
        self.refused: set[str] = set()
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str, bool]] = []
        self.port = 0
        self._servers: list[socketserver.BaseServer] = []

    @property
    def address(self) -> str:
        """Where it listens, as the setting `dns_resolver` wants it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.port = _free_on_both()
        for kind, handler in ((_Udp, _UdpHandler), (_Tcp, _TcpHandler)):
            server = kind(("127.0.0.1", self.port), handler)
            server.answers = self  # type: ignore[attr-defined]
            self._servers.append(server)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def answer(self, wire: bytes, *, is_tcp: bool) -> bytes | None:
        """Return what is answered to a question, None for nothing."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, is_tcp))
        if name in self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.failing or name in self.refused:
            response.set_rcode(dns.rcode.SERVFAIL if name in self.failing else dns.rcode.REFUSED)
        else:
            self._fill(response, name, kind)
        whole = response.to_wire(max_size=65535)
        if is_tcp or len(whole) <= max(query.payload, _UDP_MAX):
            return whole
        response.answer.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        for _ in range(_CHAIN_MAX):
            holds = self.zone.get(name)
            if holds is None:
                if not any(other.endswith(f".{name}") for other in self.zone):
                    response.set_rcode(dns.rcode.NXDOMAIN)
                return
            if kind in holds:
                response.answer.append(_records(name, kind, holds[kind]))
                return
            if "CNAME" not in holds:
                return
            response.answer.append(_records(name, "CNAME", holds["CNAME"]))
            name = str(holds["CNAME"][0]).rstrip(".").lower()


def _records(name: str, kind: str, values: Sequence[str | Sequence[str]]) -> dns.rrset.RRset:
    found = dns.rrset.RRset(dns.name.from_text(f"{name}."), dns.rdataclass.IN, dns.rdatatype.from_text(kind))
    for value in values:
        found.add(dns.rdata.from_text("IN", kind, _in_zone_form(kind, value)), ttl=60)
    return found


def _in_zone_form(kind: str, value: str | Sequence[str]) -> str:
    if kind != "TXT":
        assert isinstance(value, str)
        return value
    octets = value.encode() if isinstance(value, str) else b""
    strings = (
        [octets[at : at + 255] for at in range(0, len(octets), 255)] or [b""]
        if isinstance(value, str)
        else [part.encode() for part in value]
    )
    return " ".join('"' + "".join(f"\\{octet:03d}" for octet in part) + '"' for part in strings)


def _free_on_both() -> int:
    while True:
        port = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, reply_to = self.request
        server: Any = self.server
        answer = server.answers.answer(wire, is_tcp=False)
        if answer is not None:
            reply_to.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = self.rfile.read(2)
        if len(head) < 2:
            return
        (length,) = struct.unpack("!H", head)
        server: Any = self.server
        answer = server.answers.answer(self.rfile.read(length), is_tcp=True)
        if answer is not None:
            self.wfile.write(struct.pack("!H", len(answer)) + answer)
