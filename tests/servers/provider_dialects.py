"""The four APIs as their documentation has them, as far as Digest speaks them."""

from __future__ import annotations

import base64
import json
import re
from email import message_from_bytes
from typing import Any

from tests.servers.provider_server import Call, Taken


def _fields(call: Call) -> dict[str, Any]:
    assert call.headers["content-type"] == "application/json"
    found = json.loads(call.body)
    assert isinstance(found, dict)
    return found


class Ses:
    scheme = "ses"
    key = "AKIDEXAMPLE:canary/secret+of+amazon"
    is_raw = True

    def mail_url(self, base: str) -> str:
        return f"ses://eu-central-1?configuration_set=digest&endpoint={base}"

    def standing(self, call: Call) -> tuple[int, bytes]:
        assert call.path == "/v2/email/account"
        self._require_signature(call)
        quota = {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0}
        account = {"SendingEnabled": True, "ProductionAccessEnabled": True, "SendQuota": quota}
        return 200, json.dumps(account).encode()

    def read(self, call: Call) -> Taken:
        assert call.path == "/v2/email/outbound-emails"
        self._require_signature(call)
        fields = _fields(call)
        (recipient,) = fields["Destination"]["ToAddresses"]
        message = base64.b64decode(fields["Content"]["Raw"]["Data"], validate=True)
        return Taken(recipient, message, fields)

    def _require_signature(self, call: Call) -> None:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-central-1/ses/aws4_request, "
            r"SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}",
            call.headers.get("authorization", ""),
        )
        assert found, call.headers

    def thanks(self, number: int) -> tuple[int, bytes, dict[str, str]]:
        return 200, json.dumps({"MessageId": f"0102-{number}-000000"}).encode(), {}

    def trouble(self, code: int, words: str) -> bytes:
        return json.dumps({"message": words}).encode()

    def no_such_reader(self) -> tuple[int, bytes]:
        said = {"__type": "MessageRejected", "message": "Illegal content: a virus was found"}
        return 400, json.dumps(said).encode()


class Postmark:
    scheme = "postmark"
    key = "canary-1f9d-server-token"
    is_raw = False

    def mail_url(self, base: str) -> str:
        return f"postmark:?stream=weekly&endpoint={base}"

    def standing(self, call: Call) -> tuple[int, bytes]:
        assert call.path == "/server"
        self._require_key(call)
        return 200, b'{"ID": 1, "Name": "Harbour Week"}'

    def read(self, call: Call) -> Taken:
        assert call.path == "/email"
        self._require_key(call)
        fields = _fields(call)
        return Taken(fields["To"], b"", fields)

    def _require_key(self, call: Call) -> None:
        assert call.headers.get("x-postmark-server-token") == self.key

    def thanks(self, number: int) -> tuple[int, bytes, dict[str, str]]:
        body = {"To": "x@example.org", "MessageID": f"b7bc2f4a-{number}", "ErrorCode": 0, "Message": "OK"}
        return 200, json.dumps(body).encode(), {}

    def trouble(self, code: int, words: str) -> bytes:
        number = {401: 10, 429: 429}.get(code, 999)
        return json.dumps({"ErrorCode": number, "Message": words}).encode()

    def no_such_reader(self) -> tuple[int, bytes]:
        said = {
            "ErrorCode": 406,
            "Message": "You tried to send to a recipient that has been marked as inactive.",
        }
        return 422, json.dumps(said).encode()


class Mailgun:
    scheme = "mailgun"
    key = "canary-key-of-mailgun"
    is_raw = True

    def mail_url(self, base: str) -> str:
        return f"mailgun://mg.example.org?endpoint={base}"

    def standing(self, call: Call) -> tuple[int, bytes]:
        assert call.path == "/v4/domains/mg.example.org"
        self._require_key(call)
        return 200, b'{"domain": {"name": "mg.example.org", "state": "active"}}'

    def read(self, call: Call) -> Taken:
        assert call.path == "/v3/mg.example.org/messages.mime"
        self._require_key(call)
        kind = call.headers["content-type"]
        form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.body)
        names = [part.get_param("name", header="content-disposition") for part in form.get_payload()]
        assert len(set(names)) == len(names)
        # Cut by hand: an e-mail parser would take what is inside the message apart as well.
        boundary = kind.partition("boundary=")[2].encode()
        sections = [section[2:-2] for section in call.body.split(b"--" + boundary)[1:-1]]
        bodies = [section.partition(b"\r\n\r\n")[2] for section in sections]
        fields = dict(zip(names, bodies, strict=True))
        message = fields.pop("message")
        texts = {str(name): value.decode() for name, value in fields.items()}
        return Taken(texts["to"], message, texts)

    def _require_key(self, call: Call) -> None:
        basic = base64.b64encode(f"api:{self.key}".encode()).decode()
        assert call.headers.get("authorization") == f"Basic {basic}"

    def thanks(self, number: int) -> tuple[int, bytes, dict[str, str]]:
        body = {"id": f"<{number}.20261123@mg.example.org>", "message": "Queued. Thank you."}
        return 200, json.dumps(body).encode(), {}

    def trouble(self, code: int, words: str) -> bytes:
        return words.encode() if code == 401 else json.dumps({"message": words}).encode()

    def no_such_reader(self) -> tuple[int, bytes]:
        said = "'to' parameter is not a valid address. please check documentation"
        return 400, json.dumps({"message": said}).encode()


class SendGrid:
    scheme = "sendgrid"
    key = "SG.canary-of-sendgrid"
    is_raw = False

    _reserved = frozenset(
        {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"}
        | {"to", "from", "subject", "reply-to", "cc", "bcc"}
    )

    def mail_url(self, base: str) -> str:
        return f"sendgrid:?endpoint={base}"

    def standing(self, call: Call) -> tuple[int, bytes]:
        assert call.path == "/v3/scopes"
        self._require_key(call)
        return 200, b'{"scopes": ["mail.send", "sender_verification_eligible"]}'

    def read(self, call: Call) -> Taken:
        assert call.path == "/v3/mail/send"
        self._require_key(call)
        fields = _fields(call)
        assert not self._reserved & {name.lower() for name in fields["headers"]}
        assert [part["type"] for part in fields["content"]] in (["text/plain"], ["text/plain", "text/html"])
        ((reader,),) = [person["to"] for person in fields["personalizations"]]
        return Taken(reader["email"], b"", fields)

    def _require_key(self, call: Call) -> None:
        assert call.headers.get("authorization") == f"Bearer {self.key}"

    def thanks(self, number: int) -> tuple[int, bytes, dict[str, str]]:
        return 202, b"", {"X_Message_Id": f"14c5d75ce93-{number}"}

    def trouble(self, code: int, words: str) -> bytes:
        return json.dumps({"errors": [{"field": None, "message": words}]}).encode()

    def no_such_reader(self) -> tuple[int, bytes]:
        error = {"field": "personalizations.0.to.0.email", "message": "Does not contain a valid address."}
        return 400, json.dumps({"errors": [error]}).encode()
