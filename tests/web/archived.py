"""A newsletter with a public archive of three weeks and a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from digest.address.steps import address_issue
from digest.compose.steps import compose
from digest.domain.issues import IssueContent, IssueId, Item
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.pipeline.run import approve_issue
from digest.runtime import Runtime
from digest.store.contents import ContentRow, IssueTopicRow, content_to_json
from digest.store.database import writing
from digest.store.issues import IssueRow, write_texts
from tests.samples import CLIMATE, FOOD, ITEMS, sample_issue
from tests.web.site import Site
from tests.web.world import NEXT_WEEK, NOW, THIS_WEEK, add_articles, add_readers, add_sample_newsletter

HOME = "/archive/saturday"
"""Where its pages are, on any site."""

SUBJECT = "A bus that waits, & other kindnesses"
INTRO = "This week is about patience.\n\nWrite to us if you know of more."

FIRST, SECOND, THIRD, DRAFT = (IssueId(number) for number in range(1, 5))
"""The ids of the issues, which are their numbers too but for the draft's, which has none."""

WEEKS = (ITEMS[::2], ITEMS[1::2], ITEMS)
"""The articles of the three weeks that were sent."""


def in_week(week: int, items: Sequence[Item]) -> tuple[Item, ...]:
    """Return articles as they would be so many weeks before the last, told in other words."""
    if week == 0:
        return tuple(items)
    return tuple(
        replace(
            item,
            title=f"{item.title} ({week})",
            url=f"{item.url}-{week}",
            takeaways=tuple(f"{text} ({week})" for text in item.takeaways),
            published_on=item.published_on - timedelta(weeks=week),
        )
        for item in items
    )


def populate_archive(runtime: Runtime) -> Newsletter:
    """Fill an empty database: issues 1 to 3 are going out, 4 is a draft."""
    newsletter = add_sample_newsletter(runtime.engine, archive=True)
    add_readers(runtime.engine, newsletter)
    for number, items in enumerate(WEEKS, start=1):
        week = len(WEEKS) - number
        add_articles(runtime.engine, newsletter, in_week(week, items))
        window = Window(THIS_WEEK.start - timedelta(weeks=week), THIS_WEEK.end - timedelta(weeks=week))
        send(runtime, newsletter, window, subject=SUBJECT if number == SECOND else "")
    further = (replace(item, title=f"{item.title} again") for item in ITEMS[2:5])
    add_articles(runtime.engine, newsletter, (in_week(-1, [item])[0] for item in further))
    compose(runtime.engine, newsletter, NEXT_WEEK, now=NOW)
    return newsletter


def send(runtime: Runtime, newsletter: Newsletter, window: Window, *, subject: str = "") -> IssueId:
    """Compose, approve and address an issue of what is stored."""
    issue = compose(runtime.engine, newsletter, window, now=NOW).issue
    assert issue
    if subject:
        with writing(runtime.engine) as session:
            write_texts(session, issue.id, subject=subject, preheader="", intro=INTRO)
    approve_issue(runtime, issue.id, by="Edith")
    address_issue(runtime.engine, issue.id, now=NOW)
    return issue.id


def retell(session: Session, content: IssueContent) -> None:
    """Let issue 3 have been frozen with other content."""
    told = content_to_json(content)
    session.execute(update(ContentRow).where(ContentRow.issue_id == THIRD).values(told=told))


def add_issues(site: Site, count: int) -> None:
    """Store further issues of one article, about food or the climate by turns."""
    by_topic = {FOOD: ITEMS[9], CLIMATE: ITEMS[0]}
    told = {
        topic: content_to_json(sample_issue(items=(replace(item, position=0),)))
        for topic, item in by_topic.items()
    }
    rows = [
        {
            "id": 100 + number,
            "newsletter_id": 1,
            "window_start": NOW + timedelta(days=number),
            "window_end": NOW + timedelta(days=number + 1),
            "state": "sent",
            "subject": "",
            "preheader": "",
            "intro": "",
            "revision": 1,
            "content_hash": f"{number:064}",
            "note": "",
            "approved_by": "ed",
            "created_at": NOW,
            "sending_at": NOW,
            "number": 3 + number,
            "hidden_by": "",
        }
        for number in range(1, count + 1)
    ]
    topics = [FOOD if number % 100 else CLIMATE for number in range(1, count + 1)]
    with writing(site.runtime.engine) as session:
        session.execute(insert(IssueRow), rows)
        session.execute(
            insert(ContentRow),
            [{"issue_id": row["id"], "told": told[topic]} for row, topic in zip(rows, topics, strict=True)],
        )
        session.execute(
            insert(IssueTopicRow),
            [
                {"issue_id": row["id"], "slug": topic, "name": topic, "articles": 1}
                for row, topic in zip(rows, topics, strict=True)
            ],
        )
