"""A newsroom in the middle of its week: a send under way, a draft that was shaped, runs, links, an invite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from digest.admit.entering import make_link
from digest.compose.steps import compose
from digest.domain.accounts import Role
from digest.domain.deliveries import DeliveryState
from digest.domain.endpoints import EventKind
from digest.domain.newsletters import NewsletterId
from digest.domain.reader_lists import ListTerms
from digest.domain.subscribers import SubscriptionState
from digest.domain.topics import TopicSlug
from digest.pipeline import reader_lists
from digest.pipeline.managing import segments
from digest.pipeline.sharing import share_issue
from digest.pipeline.sign_ups import never_again_link
from digest.runtime import Runtime
from digest.store.accounts import add_account
from digest.store.address_changes import add_change
from digest.store.announcements import announce, claim_calls, record_call
from digest.store.database import reading, writing
from digest.store.newsletters import NewsletterRow, get_newsletter
from digest.store.polls import record_standing
from digest.store.schedules import ScheduleRow
from digest.store.sources import list_sources
from digest.store.subscribers import subscribe
from digest.track.tokens import Purpose
from tests.samples import CLIMATE, ITEMS, SPACE
from tests.web.ops.world import BLOCKED, FULL, LOST, add_mails, populate_ops
from tests.web.people import NAMES
from tests.web.site import Site
from tests.web.world import (
    ADA,
    BEN,
    DRAFT,
    NEXT_WEEK,
    NOW,
    SENDING,
    a_week_later,
    add_articles,
    reader_id,
    settle,
)

INVITED = "nele@example.org"
ASKED = "hal@example.org"
"""Who signed up and has not confirmed it yet."""
PINNED, DROPPED = 14, 13
"""Articles of the draft."""


def populate_house(runtime: Runtime) -> None:
    """Fill an empty database with all that the pages can show of one newsletter."""
    populate_ops(runtime)
    settle(runtime.engine, ADA, DeliveryState.ACCEPTED)
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, TopicSlug("saturday"))
    add_articles(runtime.engine, newsletter, map(a_week_later, ITEMS[6:]))
    compose(runtime.engine, newsletter, NEXT_WEEK, now=NOW)
    for state, count, domain, said in (
        (DeliveryState.ACCEPTED, 240, "example.org", (250, "2.0.0 ok")),
        (DeliveryState.FAILED, 6, "mail.example.net", FULL),
        (DeliveryState.FAILED, 2, "post.example.com", BLOCKED),
        (DeliveryState.UNKNOWN, 3, "example.org", LOST),
        (DeliveryState.PENDING, 90, "example.org", FULL),
    ):
        add_mails(runtime.engine, state, count, domain=domain, said=said)
    segments.add(
        runtime, "saturday", {"slug": "newcomers", "name": "New here", "query": "days:<30"}, by="Ada"
    )
    lines = b"email,tags,state\ngus@example.org,Green news,\nben@example.org,,unsubscribed\n"
    reader_lists.upload(runtime, "saturday", "readers.csv", lines, ListTerms(), by="Ada")
    reader_lists.do_lists(runtime)
    with writing(runtime.engine) as session:
        session.execute(update(NewsletterRow).values(archive=True))
        # By the newsletter's own clock, so that the draft is what comes next.
        session.execute(update(ScheduleRow).values(timezone="UTC", next_due=NOW + timedelta(days=7)))
        for source in list_sources(session, NewsletterId(1)):
            read = replace(
                source.standing,
                polled_at=NOW - timedelta(minutes=20),
                succeeded_at=NOW - timedelta(minutes=20),
                new_at=NOW - timedelta(days=1),
                next_poll_at=NOW + timedelta(minutes=40),
            )
            if source.id == 2:
                read = replace(
                    read,
                    last_error="the server answers 500",
                    failing_since=NOW - timedelta(days=2),
                    failures=9,
                )
            record_standing(session, source, read, reservation="")


def tell_programs(site: Site) -> None:
    """Let programs in, and have one told what happens: it took one call, missed one, and one waits."""
    site.submit("/account/tokens", name="Dashboard in the newsroom", right=["look"], days="30")
    site.submit("/tokens", name="Sign-up form", right=["operate"], days="0")
    kinds = [EventKind.ISSUE_SENT.value, EventKind.ISSUE_PAUSED.value]
    hook = "https://hooks.example.org/digest"
    site.submit("/manage/endpoints/new", url=hook, about="The newsroom’s chat", kinds=kinds)
    for kind, status in (
        (EventKind.ISSUE_SENT, 200),
        (EventKind.ISSUE_PAUSED, 500),
        (EventKind.ISSUE_SENT, 0),
    ):
        with writing(site.runtime.engine) as session:
            announce(session, kind, {"issue": int(SENDING)}, now=NOW)
            for call in claim_calls(session, now=NOW, limit=1, lease=timedelta(0)) if status else ():
                answer = "thanks" if status == 200 else "out of order"
                record_call(session, call, is_taken=status == 200, status=status, answer=answer, now=NOW)


def shape_and_share(site: Site) -> Mapping[str, str]:
    """Do what people do with the draft; return the tokens of links by the beginning of their addresses."""
    draft = f"/issues/{DRAFT}/draft"
    with site.seen_by(Role.EDITOR) as edith:
        edith.submit(f"{draft}/fields/subject", to="Peat that pays, and a bond for every satellite")
        edith.submit(f"{draft}/articles/{PINNED}", do="pin")
        edith.submit(f"{draft}/articles/{DROPPED}", do="drop")
        edith.submit(f"{draft}/fields/headline", to="A star, and its weather", article=str(PINNED))
        edith.submit(f"/issues/{DRAFT}/preview/outlook")
        edith.submit(f"/issues/{DRAFT}/preview/ask", note="the intro is new")
    tell_programs(site)
    admin = NAMES[Role.ADMIN]
    with writing(site.runtime.engine) as session:
        account = add_account(session, INVITED, name="Nele Brandt", role=Role.EDITOR, by=admin, now=NOW)
        invitation = make_link(session, account, by=admin, now=NOW)
    share = share_issue(site.runtime, DRAFT, by=NAMES[Role.EDITOR])
    mailed = {
        purpose: site.link(purpose, ADA).rpartition("/")[2]
        for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.ONLINE)
    }
    with writing(site.runtime.engine) as session:
        asked = subscribe(
            session,
            NewsletterId(1),
            email=ASKED,
            follows=[CLIMATE, SPACE],
            now=NOW,
            state=SubscriptionState.PENDING,
        )
    confirm = site.runtime.tokens.sign_confirmation(NewsletterId(1), asked.subscriber.id, now=NOW)
    return {
        "enter": invitation,
        "shown": share.url.rpartition("/")[2],
        "confirm": confirm,
        "never-again": never_again_link(site.runtime, ASKED).rpartition("/")[2],
        **mailed,
        **_moves(site),
    }


def _moves(site: Site) -> Mapping[str, str]:
    """Let a reader ask for a new address; return the tokens of the letters to both."""
    who = reader_id(site.runtime.engine, BEN)
    with writing(site.runtime.engine) as session:
        change = add_change(
            session, NewsletterId(1), who, old_email=BEN, new_email="ben@new.example.org", now=NOW
        )
    sign = site.runtime.tokens.sign
    of_changes = (Purpose.NEW_ADDRESS, Purpose.LEAVE_ADDRESS, Purpose.OLD_ADDRESS)
    return {purpose: sign(purpose, change.id, who) for purpose in of_changes}
