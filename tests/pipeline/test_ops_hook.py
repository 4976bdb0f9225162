"""Alerts by webhook: what is posted, how it is signed, and that nothing it does stops the work."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest.domain.errors import Misconfigured, Unavailable
from digest.pipeline.ops import tell_ops
from digest.pipeline.ops_hook import post_alert, signed
from digest.runtime import Runtime
from digest.settings import Settings
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW

SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes of it!").decode()


class Taken:
    """What a webhook was sent."""

    def __init__(self, server: HTTPServer, status: int = 204) -> None:
        self.requests: list[Request] = []

        def take(request: Request) -> Response:
            request.get_data()
            self.requests.append(request)
            return Response(status=status, headers={"Location": "/elsewhere"})

        server.expect_request("/alerts", method="POST").respond_with_handler(take)

    @property
    def only(self) -> Request:
        (request,) = self.requests
        return request


def told_at(runtime: Runtime, url: str, *, secret: str = "", email: str = "") -> Runtime:
    changes = {"ops_webhook_url": url, "ops_webhook_secret": secret, "ops_email": email}
    return replace(runtime, settings=Settings(**{**runtime.settings.model_dump(), **changes}))


def test_what_ops_are_told_is_posted_with_words_a_chat_shows(
    runtime: Runtime, httpserver: HTTPServer
) -> None:
    taken = Taken(httpserver)
    hooked = told_at(runtime, httpserver.url_for("/alerts"))
    assert tell_ops(
        hooked, "issue 3 paused itself", "Too many failed.", to_do="Look:", commands=["digest up"]
    )
    told = json.loads(taken.only.get_data())
    assert told["type"] == "ops.told"
    assert datetime.fromisoformat(told["timestamp"]) == NOW
    assert told["text"] == "issue 3 paused itself\nToo many failed.\nLook:\ndigest up"
    assert told["data"] == {
        "subject": "issue 3 paused itself",
        "text": "Too many failed.",
        "to_do": "Look:",
        "commands": ["digest up"],
    }
    assert "webhook-signature" not in taken.only.headers


def test_it_is_signed_over_its_number_time_and_body(runtime: Runtime, httpserver: HTTPServer) -> None:
    taken = Taken(httpserver)
    tell_ops(told_at(runtime, httpserver.url_for("/alerts"), secret=SECRET), "a run failed", "See the log.")
    headers, body = taken.only.headers, taken.only.get_data()
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    over = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mark = hmac.new(b"twenty-four bytes of it!", over, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mark).decode()}"
    assert signed(body, "any text", now=NOW)["webhook-id"] != headers["webhook-id"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_not_taken_is_told_again_and_stops_nothing(
    status: int, runtime: Runtime, httpserver: HTTPServer
) -> None:
    taken = Taken(httpserver, status)
    hooked = told_at(runtime, httpserver.url_for("/alerts"))
    assert not tell_ops(hooked, "a run failed", "See the log.")
    assert len(taken.requests) == 1, "no redirect is followed"


def test_one_of_mail_and_webhook_is_enough(
    runtime: Runtime, httpserver: HTTPServer, smtp_sink: SmtpSink
) -> None:
    Taken(httpserver, 500)
    both = told_at(runtime, httpserver.url_for("/alerts"), email="ops@example.org")
    assert tell_ops(both, "a run failed", "See the log.")


def test_an_address_with_a_secret_in_it_is_in_no_words(runtime: Runtime) -> None:
    url = f"http://127.0.0.1:{free_port()}/hooks/open-sesame"
    with pytest.raises(Unavailable) as caught:
        post_alert(url, "", subject="s", text="t", to_do="", commands=(), now=NOW)
    assert "open-sesame" not in str(caught.value)
    assert "open-sesame" not in repr(told_at(runtime, url).settings)


def test_what_is_no_address_is_refused_with_the_settings() -> None:
    with pytest.raises((ValueError, Misconfigured), match="no http"):
        Settings(ops_webhook_url="chat.example.org/hooks")
