"""Ops hear at once of a rush of sign-ups: of which newsletter, how many, what waits, and what to do."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from sqlalchemy import Engine

from digest.domain.consents import ConsentSource
from digest.domain.newsletters import Newsletter
from digest.domain.sign_ups import SignUp, Wishes
from digest.pipeline import sign_ups
from digest.runtime import Runtime
from tests.pipeline.press import Clock, Press, make_newsletter, make_runtime
from tests.servers.smtp_sink import SmtpSink
from tests.stored import CLIMATE, NOW, stored_newsletter


def rush(runtime: Runtime, newsletter: Newsletter, count: int, domain: str = "example.org") -> None:
    wishes, hour = Wishes(frozenset({CLIMATE})), runtime.clock()
    sign_ups.keep_sign_ups(
        runtime,
        [
            SignUp(newsletter.id, f"r{n}-{hour:%d%H}@{domain}", wishes, ConsentSource.PAGE, "", "", NOW)
            for n in range(count)
        ],
    )
    assert sign_ups.take_in_sign_ups(runtime) >= count


def alerts(sink: SmtpSink) -> list[str]:
    """What ops were mailed, each as one line."""
    told = []
    for octets in sink.contents():
        mail = message_from_bytes(octets, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        body = mail.get_body(("plain",))
        assert body
        told.append(" ".join(f"{mail['Subject']} {body.get_content()}".split()))
    return told


def test_a_rush_is_told_at_once_with_its_numbers_and_what_to_do(
    engine: Engine, press: Press, smtp_sink: SmtpSink, clock: Clock
) -> None:
    capped = make_runtime(engine, press, smtp_sink, clock, sign_ups_per_domain_hour=2)
    newsletter = make_newsletter(engine, press)
    stored_newsletter(engine, slug="quiet", name="Quiet Days")
    rush(capped, newsletter, 21)
    assert alerts(smtp_sink) == [], "slips are fewer than 20"
    rush(capped, newsletter, 3, "example.net")
    (said,) = alerts(smtp_sink)
    assert f"sign-ups for {newsletter.name} are over their caps" in said
    assert f"{newsletter.name} is sent more sign-ups than may be mailed at once. Since 06:00 UTC:" in said
    assert "mailed a link to confirm it: 4 put off: over the cap for one domain an hour: 20" in said
    assert "One that was put off and settled since stands in two lines." in said
    assert "20 wait, and are asked as the caps allow, the next at" in said
    assert "raise sign_ups_per_domain_hour (2 now) in the settings" in said
    assert f"digest newsletter change {newsletter.slug} --no-sign-up" in said
    assert f"digest newsletter change {newsletter.slug} --sign-up" in said
    assert "Quiet Days" not in said
    clock.pass_(hours=5)
    rush(capped, newsletter, 30)
    assert len(alerts(smtp_sink)) == 1, "told a short while ago"
    clock.pass_(hours=2)
    rush(capped, newsletter, 30)
    assert len(alerts(smtp_sink)) == 2
    capped.engine.dispose()


def test_an_alert_that_no_server_took_is_sent_with_the_next_sign_ups(
    engine: Engine, press: Press, smtp_sink: SmtpSink, clock: Clock
) -> None:
    newsletter = make_newsletter(engine, press)
    nowhere = ("smtp://127.0.0.1:1",)
    away = make_runtime(engine, press, smtp_sink, clock, sign_ups_per_domain_hour=2, mail_url=nowhere)
    rush(away, newsletter, 30)
    away.engine.dispose()
    back = make_runtime(engine, press, smtp_sink, clock, sign_ups_per_domain_hour=2)
    rush(back, newsletter, 1)
    back.engine.dispose()
    assert len(alerts(smtp_sink)) == 1
