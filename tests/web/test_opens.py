"""Opened mails and links of readers who agreed: what is answered, and of whom anything is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select, update

from digest.address.steps import address_issue
from digest.compose.steps import compose
from digest.domain.clicks import Clicks
from digest.domain.deliveries import DeliveryState
from digest.domain.issues import IssueId
from digest.domain.measuring import Measuring
from digest.domain.newsletters import NewsletterId
from digest.domain.subscribers import SubscriberId
from digest.pipeline.approval import approve_issue
from digest.pipeline.erasing import erase_address
from digest.pipeline.preview import shown_to, source_to_look_at
from digest.pipeline.trial_mail import send_test
from digest.runtime import Runtime
from digest.store.clicks import take_hits, waiting_hits
from digest.store.database import reading, writing
from digest.store.deliveries import DeliveryRow
from digest.store.issues import find_issue
from digest.store.measured import agree_to_measure
from digest.store.measures import FollowedLinkRow, OpenRow, measures_of
from digest.store.subscribers import SubscriptionRow
from digest.track.counting import settle_hits
from digest.track.measuring import set_measuring
from digest.track.tokens import Purpose, Tokens
from tests.samples import ITEMS
from tests.servers.smtp_sink import SmtpSink
from tests.web.conftest import Fill
from tests.web.site import Site
from tests.web.test_clicks import COUNTED, FIREFOX, follow, written
from tests.web.test_mailed_links import mails_of
from tests.web.world import (
    ADA,
    BEN,
    NEXT_WEEK,
    NOW,
    SENDING,
    THIS_WEEK,
    a_week_later,
    add_articles,
    add_readers,
    add_sample_newsletter,
    contents,
    reader_id,
    send_to_all,
)

PICTURE = re.compile(r"https?://[^/\s]+(/o/[^\"'<>\s]+)")


@pytest.fixture(scope="session")
def measured_database(filled_once: Fill) -> Path:
    return filled_once("measured.db", populate_measured)


def populate_measured(runtime: Runtime) -> None:
    """As `populate`, of a newsletter that asks its readers, of whom Ada agreed; its mails were delivered."""
    newsletter = add_sample_newsletter(runtime.engine, clicks=Clicks.COUNTED, measuring=Measuring.ASKED)
    add_articles(runtime.engine, newsletter, ITEMS)
    add_articles(runtime.engine, newsletter, map(a_week_later, ITEMS[2:5]))
    add_readers(runtime.engine, newsletter)
    with writing(runtime.engine) as session:
        agree_to_measure(session, newsletter.id, reader_id(runtime.engine, ADA), days=90, now=NOW)
    send_to_all(runtime, newsletter, THIS_WEEK)
    compose(runtime.engine, newsletter, NEXT_WEEK, now=NOW)
    delivered = NOW - timedelta(hours=1)
    with writing(runtime.engine) as session:
        accepted = {"state": DeliveryState.ACCEPTED.value, "armed_at": delivered, "settled_at": delivered}
        session.execute(update(DeliveryRow).values(accepted))


@pytest.fixture
def site(open_site: Callable[..., Site], measured_database: Path) -> Site:
    return open_site(measured_database, trusted_proxies=("127.0.0.1",))


def html_of(site: Site, reader: str) -> str:
    body = mails_of(site)[reader].get_body(("html",))
    assert body
    return str(body.get_content())


def picture_of(site: Site, reader: str = ADA) -> str:
    (path,) = PICTURE.findall(html_of(site, reader))
    return str(path)


def load(site: Site, path: str, *, method: str = "GET", agent: str = FIREFOX) -> bytes:
    """Load a mail's picture; return it."""
    answer = site.client.request(method, path, headers={"X-Forwarded-For": "8.8.8.8", "User-Agent": agent})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    return answer.content


def settle(site: Site) -> None:
    settle_hits(site.runtime.engine, now=NOW + timedelta(minutes=1))


def kept(site: Site) -> tuple[set[SubscriberId], set[tuple[SubscriberId, int]]]:
    """Who opened the mail, and who followed which articles."""
    with reading(site.runtime.engine) as session:
        opens = {SubscriberId(one) for one in session.scalars(select(OpenRow.subscriber_id))}
        rows = session.execute(select(FollowedLinkRow.subscriber_id, FollowedLinkRow.position))
        return opens, {(SubscriberId(who), position) for who, position in rows}


def counts(site: Site) -> tuple[int, int, int]:
    """Mails to readers who agreed, how many of these opened theirs, and how many followed a link."""
    with reading(site.runtime.engine) as session:
        found = measures_of(session, [SENDING])[SENDING]
    return found.html, found.opened, found.followed


def test_only_mail_of_who_agreed_has_the_picture_and_links_that_say_who_follows(site: Site) -> None:
    assert picture_of(site)
    assert {link.count("/") for link in COUNTED.findall(html_of(site, ADA))} == {4}
    assert not PICTURE.findall(html_of(site, BEN))
    assert {link.count("/") for link in COUNTED.findall(html_of(site, BEN))} == {3}
    assert counts(site) == (1, 0, 0)


def test_an_opened_mail_and_a_followed_link_are_kept_of_who_agreed(site: Site) -> None:
    load(site, picture_of(site))
    link = COUNTED.findall(html_of(site, ADA))[0]
    url = follow(site, link)
    written(site, 2)
    settle(site)
    ada = reader_id(site.runtime.engine, ADA)
    opens, followed = kept(site)
    assert opens == {ada}
    assert {who for who, _ in followed} == {ada}
    assert len(followed) == 1
    assert url in {item.url for item in ITEMS}
    assert counts(site) == (1, 1, 1)


def test_the_picture_is_the_same_for_every_token_and_none_but_its_own_counts(site: Site) -> None:
    path = picture_of(site)
    token = path.removeprefix("/o/")
    ada, sign = reader_id(site.runtime.engine, ADA), site.runtime.tokens.sign
    shown = load(site, path)
    written(site, 1)
    bits = (
        "".join((token[:at], chr(ord(token[at]) ^ 1), token[at + 1 :]))
        for at in range(len(token) - 9, len(token) - 2)
        if chr(ord(token[at]) ^ 1).isalnum()
    )
    others = [
        *bits,
        *(sign(purpose, SENDING, ada) for purpose in Purpose if purpose is not Purpose.OPEN),
        Tokens(["another key that is long enough"]).sign(Purpose.OPEN, SENDING, ada),
        "x",
    ]
    for other in others:
        assert load(site, f"/o/{other}") == shown
    for nobody in (SubscriberId(0), SubscriberId(999_999)):
        assert load(site, f"/o/{sign(Purpose.OPEN, SENDING, nobody)}") == shown
    assert load(site, f"/o/{sign(Purpose.OPEN, IssueId(99), ada)}") == shown
    flush(site)
    with reading(site.runtime.engine) as session:
        assert len(waiting_hits(session, most=9)) == 1


def flush(site: Site) -> None:
    """Let one more hit be written, after which all before it are."""
    follow(site, COUNTED.findall(html_of(site, BEN))[0], client="9.9.9.9")
    written(site, 2)
    with writing(site.runtime.engine) as session:
        for number, hit in waiting_hits(session, most=9):
            if hit.reader is None:
                take_hits(session, [number])


def test_a_key_that_was_changed_still_counts(site: Site) -> None:
    settings = site.runtime.settings
    old = Tokens(["an older key of this installation", settings.secret_key.get_secret_value()])
    who = old.read_measured(Purpose.OPEN, picture_of(site).removeprefix("/o/"))
    assert (who.issue_id, who.subscriber_id) == (SENDING, reader_id(site.runtime.engine, ADA))


def test_to_look_with_head_or_as_a_program_counts_nothing(site: Site) -> None:
    path = picture_of(site)
    assert load(site, path, method="HEAD") == b""
    for agent in ("Mozilla/5.0", "BarracudaCentral", "curl/8.5"):
        load(site, path, agent=agent)
    load(site, path)
    written(site, 1)


def test_what_was_taken_back_is_counted_no_more_though_the_mail_is_there(site: Site) -> None:
    picture, link = picture_of(site), COUNTED.findall(html_of(site, ADA))[0]
    ada = reader_id(site.runtime.engine, ADA)
    set_measuring(site.runtime.engine, NewsletterId(1), ada, False, wording="", network="", now=NOW)
    load(site, picture)
    assert follow(site, link).startswith("https://")
    written(site, 1)
    settle(site)
    assert kept(site) == (set(), set())
    assert counts(site) == (0, 0, 0), "a rate is of who agrees still"


def test_a_link_leads_to_its_article_whoever_is_said_to_follow_it(site: Site) -> None:
    link = COUNTED.findall(html_of(site, ADA))[0]
    own, _, reader = link.rpartition("/")
    url = follow(site, own)
    ada, sign = reader_id(site.runtime.engine, ADA), site.runtime.tokens.sign
    strangers = [
        "x",
        f"{reader[:-9]}{'A' if reader[-9] != 'A' else 'B'}{reader[-8:]}",
        sign(Purpose.OPEN, SENDING, ada),
        sign(Purpose.FOLLOW, IssueId(2), ada),
        sign(Purpose.UNSUBSCRIBE, SENDING, ada),
        "https:%2F%2Felsewhere.example.net",
    ]
    for place, stranger in enumerate(strangers):
        assert follow(site, f"{own}/{stranger}", client=f"8.8.{place}.8") == url
    written(site, len(strangers) + 1)
    settle(site)
    assert kept(site) == (set(), set())


def test_pages_that_show_a_mail_have_no_picture_of_it(site: Site) -> None:
    before = contents(site.runtime.engine)
    source = site.get(f"/issues/{SENDING}/preview/source?as={ADA}").text
    shown = site.get(f"/issues/{SENDING}/preview/mail?as={ADA}").text
    online = site.get(site.link(Purpose.ONLINE, ADA)).text
    for page in (shown, online):
        assert "/o/" not in page
        assert {link.count("/") for link in COUNTED.findall(page)} <= {3}
    assert "You agreed that we measure" in " ".join(shown.split()), "as their mail says it"
    for token in re.findall(r"/o/([\w.-]+)", source.replace("=\n", "").replace("=\r\n", "")):
        who = site.runtime.tokens.read_measured(Purpose.OPEN, token).subscriber_id
        assert who == 0, "an editor who opens this is nobody's reader"
    assert contents(site.runtime.engine) == before


_OWN = re.compile(r"(/(?:o|unsubscribe|preferences|online)/|(?<=/c/)[\w.-]+/\d+/)[\w.-]+")


def without_tokens(mail: EmailMessage) -> list[str]:
    """A mail's subject and bodies, but for what is signed for its reader alone."""
    bodies = [mail.get_body((kind,)) for kind in ("html", "plain")]
    return [str(mail["Subject"]), *(_OWN.sub(r"\1TOKEN", str(one.get_content())) for one in bodies if one)]


@pytest.mark.parametrize("reader", [ADA, BEN])
def test_a_preview_before_addressing_is_the_mail_that_is_sent(site: Site, reader: str) -> None:
    runtime = site.runtime
    with writing(runtime.engine) as session:
        agree_to_measure(session, NewsletterId(1), reader_id(runtime.engine, BEN), days=90, now=NOW)
        ben = SubscriptionRow.subscriber_id == reader_id(runtime.engine, BEN)
        session.execute(update(SubscriptionRow).where(ben).values(text_only=True))
        next_week = find_issue(session, NewsletterId(1), NEXT_WEEK)
    assert next_week

    def previewed() -> list[str]:
        source = source_to_look_at(runtime, shown_to(runtime, next_week.id, email=reader))
        return without_tokens(message_from_bytes(source, policy=policy.default))  # type: ignore[arg-type]

    draft = previewed()
    approve_issue(runtime, next_week.id, by="Edith", despite_errors=True)
    approved = previewed()
    address_issue(runtime.engine, next_week.id, now=NOW)
    sent = without_tokens(mails_of(site, next_week.id)[reader])
    assert any("You agreed that we measure" in " ".join(body.split()) for body in sent), "control"
    assert draft == approved == sent == previewed()


def test_a_test_as_who_agreed_measures_nobody(
    open_site: Callable[..., Site], measured_database: Path, smtp_sink: SmtpSink
) -> None:
    runtime = open_site(measured_database, mail_url=smtp_sink.url).runtime
    send_test(runtime, SENDING, ["ed@example.org"], by="Edith", email=ADA)
    (mail,) = (message_from_bytes(one, policy=policy.default) for one in smtp_sink.contents())
    bodies = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(bodies) == 2
    for body in bodies:
        assert "/o/" not in body
        assert "You agreed that we measure" not in " ".join(body.split())


def test_mails_to_who_agreed_count_by_their_kind_and_once_delivered(site: Site) -> None:
    engine = site.runtime.engine
    with writing(engine) as session:
        agree_to_measure(session, NewsletterId(1), reader_id(engine, BEN), days=90, now=NOW)
        ben = SubscriptionRow.subscriber_id == reader_id(engine, BEN)
        session.execute(update(SubscriptionRow).where(ben).values(text_only=True))
        next_week = find_issue(session, NewsletterId(1), NEXT_WEEK)
    assert next_week
    approve_issue(site.runtime, next_week.id, by="Edith", despite_errors=True)
    address_issue(engine, next_week.id, now=NOW)

    def delivered() -> tuple[int, int]:
        with reading(engine) as session:
            found = measures_of(session, [next_week.id])[next_week.id]
        return found.html, found.text

    def become(state: DeliveryState, reader: str) -> None:
        one = update(DeliveryRow).where(DeliveryRow.issue_id == next_week.id, DeliveryRow.email == reader)
        with writing(engine) as session:
            session.execute(one.values(state=state.value))

    assert delivered() == (0, 0), "both wait"
    become(DeliveryState.ACCEPTED, ADA)
    assert delivered() == (1, 0)
    become(DeliveryState.ACCEPTED, BEN)
    assert delivered() == (1, 1)
    become(DeliveryState.FAILED, ADA)
    assert delivered() == (0, 1)


def test_an_erased_reader_leaves_numbers(site: Site) -> None:
    load(site, picture_of(site))
    written(site, 1)
    settle(site)
    link = COUNTED.findall(html_of(site, ADA))[0]
    follow(site, link)
    written(site, 1)
    stored = site.get(f"{site.link(Purpose.PREFERENCES, ADA)}/stored.json").json()
    assert [row["issue_id"] for row in stored["opens"]] == [SENDING]
    assert stored["hits"]
    erase_address(site.runtime, ADA, by="Omar")
    assert kept(site) == (set(), set())
    with reading(site.runtime.engine) as session:
        assert waiting_hits(session, most=1) == []
    assert counts(site) == (1, 1, 0)
