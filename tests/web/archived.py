"""A newsletter with a public archive of three weeks and a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from digest.address.steps import address_issue
from digest.compose.steps import compose
from digest.domain.issues import IssueId, Item
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.pipeline.run import approve_issue
from digest.runtime import Runtime
from digest.store.database import writing
from digest.store.issues import write_texts
from tests.samples import ITEMS
from tests.web.world import NEXT_WEEK, NOW, THIS_WEEK, add_articles, add_readers, add_sample_newsletter

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
