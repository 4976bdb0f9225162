"""The server's side of SMTP (RFC 5321), as lean as a sink for load tests must be.

A refusal is as strict as that of a careful real server: bare line feeds, content sent before the 354, and a
command out of order are refused, so that a sender which passes here also works elsewhere.
"""

from __future__ import annotations

import asyncio
import math
import re
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from tests.servers.faults import (
    At,
    Banner,
    BrokenTls,
    ConnectionFault,
    DelayReply,
    DropAfterDot,
    MostMails,
    RecipientFault,
    RefuseInBody,
    Reply,
    ResetInBody,
    SlowBanner,
    WithholdReply,
)
from tests.servers.smtp_log_in import LogIns
from tests.servers.smtp_received import Received, describe, has_bare_line_ends
from tests.waiting import PATIENCE

SIZE_LIMIT = 25 * 1024 * 1024
EXTENSIONS = ("PIPELINING", f"SIZE {SIZE_LIMIT}", "8BITMIME", "ENHANCEDSTATUSCODES")

_PATH = re.compile(rb"(?i)(?:FROM|TO): ?<([^<>\s]*)>(?: +(.*))?$")
_SIZE = re.compile(rb"(?i)(?:^| )SIZE=(\d+)")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


@dataclass(frozen=True)
class Rules:
    """What a server offers and demands.

    With a `context` it offers STARTTLS, or speaks TLS from the start (`is_tls_first`), and takes log-ins only
    then. With `log_ins` it takes no mail without one.
    """

    extensions: tuple[str, ...] = EXTENSIONS
    context: ssl.SSLContext | None = None
    is_tls_first: bool = False
    log_ins: LogIns | None = None
    size_limit: int = SIZE_LIMIT
    keeps_commands: list[str] | None = field(default=None)


class Owner(Protocol):
    """What a conversation asks of the sink it belongs to."""

    rules: Rules

    def connected(self, conversation: SmtpConversation) -> ConnectionFault | None:
        """A client has come: what goes wrong with it, if anything."""

    def disconnected(self, conversation: SmtpConversation) -> None:
        """The client has gone."""

    def fault_for(self, address: str) -> RecipientFault | None:
        """What goes wrong with this attempt at this address, if anything."""

    def accept(self, mail: Received, content: bytes) -> None:
        """Keep the mail for good: the 250 follows."""


class SmtpConversation(asyncio.Protocol):
    """One connection. Answers to commands that came together leave together (RFC 2920)."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.buffer = bytearray()
        self.replies: list[bytes] = []
        self.offers_broken_tls = False
        self.no_tls: bytes | None = None  # said instead of a TLS handshake, once the client has begun one
        self.hung_up = False
        self.deadline: asyncio.TimerHandle | None = None
        self.waiting = False  # for a banner or a delayed answer: what comes meanwhile stays in the buffer
        self.greeted = False
        self.rules = owner.rules
        self.is_secure = self.rules.is_tls_first
        self.has_logged_in = False
        self.next_line: Callable[[str], Any] | None = None  # of a log-in under way
        self.most_mails: MostMails | None = None
        self.mails = 0
        self.leave_transaction()

    def leave_transaction(self) -> None:
        """Forget the sender, the recipients and what has come of a mail."""
        self.in_data = False
        self.scanned = 0
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.faults: list[RecipientFault] = []

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        match self.owner.connected(self):
            case Banner(code):
                self.answer(code, "try again later", f"{code // 100}.3.2")
                self.hang_up()
            case SlowBanner(seconds):
                self.waiting = True
                self.drip(b"220 sink.example.net ESMTP\r\n", seconds)
            case fault:
                self.offers_broken_tls = isinstance(fault, BrokenTls)
                self.most_mails = fault if isinstance(fault, MostMails) else None
                self.transport.write(b"220 sink.example.net ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.owner.disconnected(self)
        if self.deadline is not None:
            self.deadline.cancel()

    def drip(self, banner: bytes, seconds: float) -> None:
        """Write the banner one octet at a time, then begin to listen."""
        if not banner:
            self.resume()
        elif not math.isinf(seconds) and not self.has_ended:
            self.transport.write(banner[:1])
            asyncio.get_running_loop().call_later(seconds, self.drip, banner[1:], seconds)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is said here, whatever the client says."""
        return self.hung_up or self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        if self.hung_up:
            return
        if self.no_tls is not None:
            self.replies.append(self.no_tls)
            self.hang_up()
            return
        self.buffer += data
        if not self.waiting:
            self.converse()

    def withhold(self, is_over: Callable[[], bool]) -> None:
        """Go on when the wait is over or the client has gone."""
        if is_over() or self.transport.is_closing():
            self.resume()
        else:
            asyncio.get_running_loop().call_later(0.01, self.withhold, is_over)

    def resume(self) -> None:
        """Go on after a wait with what has come meanwhile."""
        self.waiting = False
        if not self.has_ended:
            self.converse()

    def converse(self) -> None:
        """Use up the buffer as far as it goes, and send all answers at once."""
        while self.take_content() if self.in_data else self.take_command():
            if self.waiting or self.has_ended:
                break
        if not self.waiting:
            self.flush()

    def flush(self) -> None:
        if self.replies and not self.has_ended:
            self.transport.write(b"".join(self.replies))
        self.replies.clear()

    def hang_up(self) -> None:
        """End the connection after the answers so far, so that the client is sure to have them.

        A close with something of the client's unread would be a reset, which overtakes what was said: our
        half is closed, and what still comes is passed over until the client has left.
        """
        if self.has_ended:
            return
        self.flush()
        self.hung_up = True
        self.buffer.clear()
        if not self.transport.can_write_eof():
            self.transport.close()  # TLS has its own goodbye
            return
        self.transport.write_eof()
        self.deadline = asyncio.get_running_loop().call_later(PATIENCE, self.transport.abort)

    def answer(self, code: int, text: str, enhanced: str) -> None:
        """Answer with a reply code, an RFC 3463 status code and words."""
        self.replies.append(f"{code} {enhanced} {text}\r\n".encode())

    # --- commands

    def take_command(self) -> bool:
        end = self.buffer.find(b"\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end]).rstrip(b"\r")
        del self.buffer[: end + 1]
        if self.next_line is not None:
            self.go_on_logging_in(self.next_line(line.decode()))
            return True
        if self.rules.keeps_commands is not None:
            self.rules.keeps_commands.append(line.decode("utf-8", "replace"))
        verb, _, rest = line.partition(b" ")
        command = _COMMANDS.get(verb.upper())
        if command is None:
            self.answer(500, "no such command here", "5.5.1")
        else:
            command(self, rest)
        return True

    def ehlo(self, rest: bytes) -> None:
        self.leave_transaction()
        self.greeted = True
        lines = ["sink.example.net", *self.rules.extensions]
        if self.offers_broken_tls or (self.rules.context is not None and not self.is_secure):
            lines.append("STARTTLS")
        if self.rules.log_ins is not None and (self.is_secure or self.rules.context is None):
            lines.append(f"AUTH {' '.join(self.rules.log_ins.mechanisms)}")
        reply = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self.replies.append(reply.encode())

    def helo(self, rest: bytes) -> None:
        self.leave_transaction()
        self.greeted = True
        self.replies.append(b"250 sink.example.net\r\n")

    def starttls(self, rest: bytes) -> None:
        if self.rules.context is not None and not self.is_secure:
            self.answer(220, "go ahead", "2.0.0")
            self.flush()
            # What comes next is the client's hello, and not for us; then its EHLO, which may be here before
            # the new way is ours to answer by.
            self.waiting = True
            self.transport.pause_reading()
            self.upgrade = asyncio.ensure_future(self.secure(self.rules.context))
            return
        if not self.offers_broken_tls:
            self.answer(502, "TLS is not offered", "5.5.1")
            return
        self.answer(220, "go ahead", "2.0.0")
        self.no_tls = b"454 4.7.0 this is no TLS\r\n"

    async def secure(self, context: ssl.SSLContext) -> None:
        """Go on in TLS, or forget a client that does not believe us."""
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(self.transport, self, context, server_side=True)
        except OSError:
            self.owner.disconnected(self)
            return
        assert transport is not None
        self.transport = transport
        self.is_secure, self.greeted = True, False
        self.resume()

    def auth(self, rest: bytes) -> None:
        if self.rules.log_ins is None or not self.greeted or self.has_logged_in:
            self.answer(503, "no log-in here and now", "5.5.1")
        else:
            self.go_on_logging_in(self.rules.log_ins.begin(rest.decode()))

    def go_on_logging_in(self, turn: tuple[tuple[int, str], Callable[[str], Any] | None]) -> None:
        (code, words), self.next_line = turn
        self.has_logged_in = code == 235
        self.replies.append(f"{code} {words}\r\n".encode())

    def is_enough(self) -> bool:
        """Whether this MAIL is one too many, which is said then."""
        most = self.most_mails
        if most is None or self.mails < most.count:
            return False
        if most.code:
            self.replies.append(f"{most.code} {most.words}\r\n".encode())
        if most.code in (0, 421):
            self.hang_up()
        return True

    def mail(self, rest: bytes) -> None:
        if self.is_enough():
            return
        path = _PATH.match(rest)
        if path is None or rest[:5].upper() != b"FROM:":
            self.answer(501, "MAIL FROM:<address> is expected", "5.5.4")
        elif not self.greeted or self.sender is not None:
            self.answer(503, "EHLO first, and one MAIL at a time", "5.5.1")
        elif self.rules.log_ins is not None and not self.has_logged_in:
            self.answer(530, "log in first", "5.7.0")
        elif (size := _SIZE.search(path[2] or b"")) and int(size[1]) > self.rules.size_limit:
            self.answer(552, "the mail is too large", "5.3.4")
        else:
            self.mails += 1
            self.sender = path[1].decode("utf-8", "surrogateescape")
            self.answer(250, "sender ok", "2.1.0")

    def rcpt(self, rest: bytes) -> None:
        path = _PATH.match(rest)
        if path is None or not path[1] or rest[:3].upper() != b"TO:":
            self.answer(501, "RCPT TO:<address> is expected", "5.5.4")
        elif self.sender is None:
            self.answer(503, "MAIL comes before RCPT", "5.5.1")
        else:
            self.consider(path[1].decode("utf-8", "surrogateescape"))

    def consider(self, address: str) -> None:
        """Accept the recipient, or do what the plan has for it."""
        match self.owner.fault_for(address):
            case Reply(At.RCPT) as reply:
                self.fail(reply)
                return
            case None:
                pass
            case fault:
                self.faults.append(fault)
        self.recipients.append(address)
        self.answer(250, "recipient ok", "2.1.5")

    def data(self, rest: bytes) -> None:
        refused = next((f for f in self.faults if isinstance(f, Reply) and f.at is At.DATA), None)
        if not self.recipients:
            self.answer(503, "no valid recipients", "5.5.1")
        elif refused is not None:
            self.leave_transaction()
            self.fail(refused)
        elif self.buffer:
            self.answer(554, "content came before the 354 that asks for it", "5.5.0")
            self.hang_up()
        else:
            self.in_data = True
            self.replies.append(b"354 end with a dot\r\n")

    def fail(self, reply: Reply) -> None:
        """Answer as the plan says; 421 announces the end of the connection (RFC 5321 §3.8)."""
        self.answer(reply.code, "as planned", reply.enhanced)
        if reply.code == 421:
            self.hang_up()

    def rset(self, rest: bytes) -> None:
        self.leave_transaction()
        self.answer(250, "forgotten", "2.0.0")

    def noop(self, rest: bytes) -> None:
        self.answer(250, "still here", "2.0.0")

    def quit(self, rest: bytes) -> None:
        self.answer(221, "bye", "2.0.0")
        self.hang_up()

    # --- content

    def take_content(self) -> bool:
        if self.buffer.startswith(b".\r\n"):
            self.finish(b"", 3)
            return True
        end = self.buffer.find(b"\r\n.\r\n", max(0, self.scanned - 4))
        self.scanned = len(self.buffer)
        for fault in self.faults:
            if isinstance(fault, ResetInBody) and (end >= 0 or self.scanned >= fault.after_octets):
                self.reset()
                return False
            if isinstance(fault, RefuseInBody) and (end >= 0 or self.scanned >= fault.after_octets):
                self.answer(fault.code, "as planned", f"{fault.code // 100}.3.0")
                self.hang_up()
                return False
        if end < 0:
            return False
        self.finish(bytes(self.buffer[: end + 2]), end + 5)
        return True

    def finish(self, stuffed: bytes, used: int) -> None:
        """A mail is complete: undo dot-stuffing, answer, and be ready for the next."""
        del self.buffer[:used]
        content = stuffed.replace(b"\r\n..", b"\r\n.")
        if content.startswith(b".."):
            content = content[1:]
        recipients, faults = tuple(self.recipients), self.faults
        self.leave_transaction()
        if len(content) > self.rules.size_limit:
            self.answer(552, "the mail is too large", "5.3.4")
        elif has_bare_line_ends(content):
            self.answer(550, "bare line feed or carriage return", "5.6.0")
        else:
            self.settle(recipients, content, faults)

    def settle(self, recipients: tuple[str, ...], content: bytes, faults: list[RecipientFault]) -> None:
        """Keep the mail and say so, unless the plan has something else for one of its recipients."""
        for fault in faults:
            match fault:
                case Reply(At.DOT) as reply:
                    self.fail(reply)
                    return
                case DropAfterDot(kept=False):
                    self.hang_up()
                    return
        self.owner.accept(describe(recipients, content), content)
        for fault in faults:
            match fault:
                case DropAfterDot():
                    self.hang_up()
                    return
                case DelayReply(seconds):
                    self.flush()
                    self.waiting = True
                    asyncio.get_running_loop().call_later(seconds, self.resume)
                case WithholdReply(is_over):
                    self.flush()
                    self.waiting = True
                    self.withhold(is_over)
        self.answer(250, "kept", "2.0.0")


_COMMANDS = {
    b"EHLO": SmtpConversation.ehlo,
    b"HELO": SmtpConversation.helo,
    b"STARTTLS": SmtpConversation.starttls,
    b"AUTH": SmtpConversation.auth,
    b"MAIL": SmtpConversation.mail,
    b"RCPT": SmtpConversation.rcpt,
    b"DATA": SmtpConversation.data,
    b"RSET": SmtpConversation.rset,
    b"NOOP": SmtpConversation.noop,
    b"QUIT": SmtpConversation.quit,
}
