"""An IMAP server on the loopback for one mailbox: as much of RFC 3501 as a poller says."""

from __future__ import annotations

import base64
import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD, PLAIN_PASSWORD = "bounces", "pass word ä", 'pass "word" \\'
"""The second password is for a server without SASL, which takes ASCII alone."""


class Mailbox:
    """Mails by number from 1 on, which of them are seen, and every command that was said."""

    def __init__(self, folder: str = "INBOX", *, has_sasl: bool = True) -> None:
        self.folder = folder
        self.has_sasl = has_sasl
        self.mails: list[bytes] = []
        self.seen: set[int] = set()
        self.said: list[str] = []
        self.on_fetch: Callable[[], None] = lambda: None


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            if not self.obey(tag, rest):
                return

    def say(self, line: str | bytes) -> None:
        self.wfile.write((line.encode() if isinstance(line, str) else line) + b"\r\n")

    def obey(self, tag: str, command: str) -> bool:
        mailbox: Mailbox = self.server.mailbox  # type: ignore[attr-defined]
        mailbox.said.append(command)
        name, _, rest = command.partition(" ")
        match name.upper():
            case "CAPABILITY":
                self.say(f"* CAPABILITY IMAP4rev1{' AUTH=PLAIN' if mailbox.has_sasl else ''}")
            case "AUTHENTICATE" | "LOGIN":
                if not self.is_known(rest):
                    self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")
                    return True
            case "SELECT" if rest.strip('"') != mailbox.folder:
                self.say(f"{tag} NO no such folder")
                return True
            case "SELECT":
                self.say(f"* {len(mailbox.mails)} EXISTS")
            case "UID":
                self.uid(mailbox, rest)
            case "LOGOUT":
                self.say("* BYE")
                self.say(f"{tag} OK")
                return False
            case "STARTTLS":
                self.say(f"{tag} BAD not here")
                return True
        self.say(f"{tag} OK done")
        return True

    def is_known(self, arguments: str) -> bool:
        if arguments != "PLAIN":
            password = PLAIN_PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
            return arguments == f'"{USER}" "{password}"'
        self.say("+ ")
        return base64.b64decode(self.rfile.readline()).decode() == f"\0{USER}\0{PASSWORD}"

    def uid(self, mailbox: Mailbox, command: str) -> None:
        if command == "SEARCH UNSEEN":
            numbers = range(1, len(mailbox.mails) + 1)
            unseen = " ".join(str(number) for number in numbers if number not in mailbox.seen)
            self.say(f"* SEARCH {unseen}".rstrip())
        elif found := re.fullmatch(r"FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            mailbox.on_fetch()
            number, octets = int(found[1]), mailbox.mails[int(found[1]) - 1][: int(found[2])]
            self.say(f"* {number} FETCH (UID {number} BODY[]<0> {{{len(octets)}}}".encode())
            self.wfile.write(octets)
            self.say(")")
        elif found := re.fullmatch(r"STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", command):
            mailbox.seen.add(int(found[1]))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mailbox: Mailbox
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


@contextmanager
def imap_server(mailbox: Mailbox, *, certificate: Path | None = None) -> Iterator[int]:
    """Serve a mailbox, with the key and certificate of a file over TLS; give the port."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.mailbox = mailbox
        if certificate is not None:
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(certificate)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
