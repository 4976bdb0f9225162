from sqlalchemy import Engine, update

from digest.compose.render import EmailTemplate
from digest.compose.room import Crowded, crowded
from digest.compose.steps import compose, pieces_of
from digest.domain.issues import IssueId
from digest.store.database import writing
from digest.store.subscribers import SubscriptionRow
from digest.store.suppressions import suppress
from tests.stored import (
    CLIMATE,
    NOW,
    SPACE,
    WINDOW,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_reader,
    stored_source,
)


def week_of(engine: Engine, articles: int) -> IssueId:
    newsletter = stored_newsletter(engine, max_items=200)
    source = stored_source(engine, newsletter, "Meridian")
    for number in range(articles):
        topics = {CLIMATE: 0.9} if number % 3 else {SPACE: 0.9}
        stored_article(engine, newsletter, source, sample_article(f"a-{number}"), topics)
    for email, follows in (("ada", (CLIMATE, SPACE)), ("ben", (CLIMATE, SPACE)), ("cleo", (CLIMATE,))):
        stored_reader(engine, newsletter, f"{email}@example.org", *follows)
    stored_reader(engine, newsletter, "dan@example.org", CLIMATE, SPACE)
    with writing(engine) as session:
        suppress(session, "dan@example.org", reason="bounce", detail="no such mailbox", now=NOW)
    issue = compose(engine, newsletter, WINDOW, now=NOW).issue
    assert issue is not None
    return issue.id


def test_a_short_issue_has_room_for_all(engine: Engine, template: EmailTemplate) -> None:
    issue = week_of(engine, 12)
    assert crowded(engine, pieces_of(engine, issue, template_of=lambda _: template)) == Crowded()


def test_the_readers_of_a_long_issue_are_counted(engine: Engine, template: EmailTemplate) -> None:
    issue = week_of(engine, 42)
    found = crowded(engine, pieces_of(engine, issue, template_of=lambda _: template))
    assert found == Crowded(editions=1, readers=2, online_only=0)


def test_so_are_those_who_find_some_articles_online_only(engine: Engine, template: EmailTemplate) -> None:
    issue = week_of(engine, 66)
    found = crowded(engine, pieces_of(engine, issue, template_of=lambda _: template))
    assert found == Crowded(editions=2, readers=3, online_only=2)


def test_who_wants_no_more_by_mail_finds_it_not_too_long(engine: Engine, template: EmailTemplate) -> None:
    issue = week_of(engine, 66)
    with writing(engine) as session:
        session.execute(update(SubscriptionRow).values(max_items=5))
    assert crowded(engine, pieces_of(engine, issue, template_of=lambda _: template)) == Crowded()
