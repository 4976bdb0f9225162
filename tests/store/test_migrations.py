"""What a migration makes of rows that are there."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, inspect, select, text

from digest.domain.articles import Condensed, Origin, Span, Takeaway, Usage
from digest.domain.errors import NotFound
from digest.domain.issues import IssueState
from digest.domain.newsletters import NewsletterId
from digest.domain.sources import Asked, Source, Standing
from digest.domain.suppressions import Suppression
from digest.domain.themes import Theme
from digest.domain.times import Window
from digest.domain.topics import Topic, TopicRule, TopicSlug, Verdict
from digest.store.archive import list_archived
from digest.store.articles import content_hash
from digest.store.condensed import uncondensed_articles
from digest.store.condensings import Condensing, versions_of
from digest.store.database import reading, writing
from digest.store.decisions import Decision, Word, decisions_on
from digest.store.edits import About, Edit, Field, append_edits, edits_of
from digest.store.homes import find_home
from digest.store.issues import ensure_issue, get_issue, make_issue, next_number
from digest.store.items import ChosenItem, ScorePart, items_of, replace_items
from digest.store.links import PassedLink, passed_links, record_passed
from digest.store.measured import Agreement, agreement_of
from digest.store.measures import FollowedLinkRow, OpenRow
from digest.store.newsletters import (
    add_topic,
    list_topics,
    newsletter_by_id,
    remove_newsletter,
    set_theme,
    topic_ids,
)
from digest.store.pauses import resume_issue
from digest.store.polls import record_standing
from digest.store.preflights import StoredLook, find_look, record_look
from digest.store.recording import record_article
from digest.store.schema import migrate
from digest.store.sources import get_source
from digest.store.spending import ArticleAccount, Spent, account_of, spent_since
from digest.store.suppressions import find_suppression, removals_of, remove_suppression, suppress
from digest.store.verdicts import record_verdicts
from digest.store.versioning import record_edit, record_version
from tests.stored import (
    CLIMATE,
    NOW,
    WINDOW,
    approved_issue,
    change,
    sample_article,
    stored_article,
    stored_newsletter,
    stored_reader,
    stored_source,
)


def stored(engine: Engine, newsletter_id: NewsletterId, name: str) -> Source:
    with reading(engine) as session:
        return get_source(session, newsletter_id, name)


def test_sources_keep_how_their_polls_went_down_to_0003_and_up_again(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    polled = stored_source(migrated, newsletter, "Polled")
    fresh = stored_source(migrated, newsletter, "Fresh")
    standing = Standing(etag='"v1"', succeeded_at=NOW, asked=Asked(skip_hours=frozenset({3})))
    with writing(migrated) as session:
        record_standing(session, polled, standing, reservation="")
        record_passed(session, polled.id, PassedLink("https://meridian.example.org/a", "old", NOW), now=NOW)
    migrate(migrated, to="0003")
    columns = {column["name"] for column in inspect(migrated).get_columns("sources")}
    assert columns.isdisjoint({"listed_at", "telling_until", "ttl", "fresh_for", "skip_hours", "moved_to"})
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sources")) == 2
    migrate(migrated)
    found = stored(migrated, newsletter.id, "Polled").standing
    assert (found.etag, found.asked, found.listed_at) == ('"v1"', Asked(), NOW)
    assert stored(migrated, newsletter.id, "Fresh") == fresh
    with reading(migrated) as session:
        links = passed_links(session, polled.id, ["https://meridian.example.org/a"], now=NOW)
    assert [link.is_backlog for link in links.values()] == [False]


def test_takeaways_of_before_become_version_1_and_what_holds_goes_back_down(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated, sign_up=False)
    source = stored_source(migrated, newsletter, "Meridian")
    edited, bare, new = (sample_article(path) for path in ("tides", "fog", "gulls"))
    edited_id = stored_article(migrated, newsletter, source, edited)
    bare_id = stored_article(migrated, newsletter, source, bare, origin=None)
    with writing(migrated) as session:
        record_article(session, newsletter.id, source.id, new, now=NOW)
        mine = Condensed((Takeaway("Mine", Origin.EDITOR, ()), Takeaway("Too", Origin.EDITOR, (Span(0, 4),))))
        of = content_hash(edited)
        record_edit(session, edited_id, mine, seen=1, made_from=1, of=of, by="ada", now=NOW)
    migrate(migrated, to="0005")
    with migrated.connect() as connection:
        rows = connection.execute(text("SELECT position, text, origin FROM takeaways ORDER BY position"))
        assert rows.all() == [(0, "Mine", "editor"), (1, "Too", "editor")]
        reasons = connection.execute(text("SELECT why_none FROM articles ORDER BY id"))
        assert reasons.scalars().all() == ["", "the article has no text", ""]
    assert {column["name"] for column in inspect(migrated).get_columns("newsletters")}.isdisjoint({"llm"})
    migrate(migrated)
    with reading(migrated) as session:
        found = versions_of(session, edited_id)
        assert found.kept == (Condensing(1, NOW, "", of, mine),)
        assert versions_of(session, bare_id).current.condensed == Condensed((), "the article has no text")
        (pending,) = uncondensed_articles(session, newsletter.id)
        assert pending.article.url == new.url
        with pytest.raises(NotFound, match="was not condensed yet"):
            versions_of(session, pending.id)
        assert newsletter_by_id(session, newsletter.id) == newsletter


def test_the_id_of_a_removed_newsletter_stays_given_through_0006(migrated: Engine) -> None:
    stored_newsletter(migrated)
    removed = stored_newsletter(migrated, slug="daily")
    with writing(migrated) as session:
        remove_newsletter(session, removed.id)
    migrate(migrated, to="0005")
    migrate(migrated)
    assert stored_newsletter(migrated, slug="monthly").id > removed.id


def test_an_issue_survives_the_way_down_from_0011_though_the_last_look_at_it_is_lost(
    migrated: Engine,
) -> None:
    newsletter = stored_newsletter(migrated)
    with writing(migrated) as session:
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        record_look(session, issue.id, StoredLook(NOW, "a" * 64, "{}"))
        record_look(session, issue.id, StoredLook(NOW, "b" * 64, '{"links": 1}'))
    with reading(migrated) as session:
        assert find_look(session, issue.id) == StoredLook(NOW, "b" * 64, '{"links": 1}')
    migrate(migrated, to="0007")
    assert "preflights" not in inspect(migrated).get_table_names()
    migrate(migrated)
    with reading(migrated) as session:
        assert get_issue(session, issue.id) == issue
        assert find_look(session, issue.id) is None


def test_topics_and_items_survive_the_way_down_from_0007_and_up_again(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    source = stored_source(migrated, newsletter, "Meridian")
    article_id = stored_article(migrated, newsletter, source, sample_article("tides"))
    with writing(migrated) as session:
        energy = Topic(TopicSlug("energy"), "Energy", rule=TopicRule(query="grid"), parent=CLIMATE)
        add_topic(session, newsletter.id, energy)
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        replace_items(session, issue.id, [ChosenItem(article_id, 1.5, (), (ScorePart(1.5, "fits"),))])
    previous = "0006"
    migrate(migrated, to=previous)
    assert {"verdicts", "pins", "topic_models"}.isdisjoint(inspect(migrated).get_table_names())
    migrate(migrated)
    with reading(migrated) as session:
        topics = {topic.slug: topic for topic in list_topics(session, newsletter.id)}
        assert topics[TopicSlug("energy")] == Topic(TopicSlug("energy"), "Energy")
        assert items_of(session, issue.id) == (ChosenItem(article_id, 1.5),)


def test_what_was_paid_and_decided_before_0008_is_written_down_and_versions_go_down_and_up(
    migrated: Engine,
) -> None:
    newsletter = stored_newsletter(migrated)
    source = stored_source(migrated, newsletter, "Meridian")
    article_id = stored_article(migrated, newsletter, source, sample_article("tides"))
    of = content_hash(sample_article("tides"))
    dear = Condensed((), "none", usage=Usage(900, 100, 4_200))
    again = Condensed((), "nothing", usage=Usage(900, 100, 0, was_cached=True))
    with writing(migrated) as session:
        for condensed in (dear, again):
            record_version(session, article_id, condensed, of=of, now=NOW)
        topics = topic_ids(session, newsletter.id)
        said = [Verdict(CLIMATE, False, "Ada")]
        record_verdicts(session, article_id, said, topic_ids=topics, now=NOW)
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        append_edits(session, issue, {About(Field.WISH, article_id): ("", "drop")}, by="Ben", now=NOW)
        versions = versions_of(session, article_id)
    migrate(migrated, to="0007")
    assert {"llm_calls", "llm_claims", "decisions"}.isdisjoint(inspect(migrated).get_table_names())
    migrate(migrated)
    with reading(migrated) as session:
        assert versions_of(session, article_id) == versions
        assert spent_since(session, newsletter.id, NOW) == Spent(4_200, NOW)
        assert account_of(session, article_id) == ArticleAccount(1, 0, 900, 100, 4_200)
        assert decisions_on(session, article_id) == (
            Decision(article_id, CLIMATE, None, Word.NO, "Ada", NOW),
            Decision(article_id, None, issue.id, Word.DROP, "Ben", NOW),
        )


def test_pins_of_before_0022_are_changes_in_the_order_they_were_made_and_go_back_down(
    migrated: Engine,
) -> None:
    newsletter = stored_newsletter(migrated)
    source = stored_source(migrated, newsletter, "Meridian")
    tides, fog = (stored_article(migrated, newsletter, source, sample_article(one)) for one in ("a", "b"))
    later = NOW + timedelta(hours=1)
    with writing(migrated) as session:
        issue = ensure_issue(session, newsletter.id, WINDOW, now=NOW)
        for article_id, wish, when in ((tides, "pin", NOW), (fog, "pin", NOW), (tides, "drop", later)):
            about = About(Field.WISH, article_id)
            before = {edit.about: edit.after for edit in edits_of(session, issue.id)}.get(about, "")
            append_edits(session, issue, {about: (before, wish)}, by="Ben", now=when)
        append_edits(session, issue, {About(Field.SUBJECT): ("", "Tides")}, by="Ada", now=later)
    migrate(migrated, to="0021")
    with migrated.connect() as connection:
        rows = connection.execute(text("SELECT article_id, kind FROM pins ORDER BY article_id"))
        assert rows.all() == [(tides, "drop"), (fog, "pin")]
    migrate(migrated)
    with reading(migrated) as session:
        assert edits_of(session, issue.id) == (
            Edit(1, 1, About(Field.WISH, fog), "", "pin", "Ben", NOW),
            Edit(2, 2, About(Field.WISH, tides), "", "drop", "Ben", later),
        )


def test_issues_of_before_keep_the_numbers_their_mails_say_through_0010(migrated: Engine) -> None:
    newsletter, other = stored_newsletter(migrated), stored_newsletter(migrated, slug="daily")
    weeks = [
        Window(WINDOW.start + timedelta(weeks=week), WINDOW.end + timedelta(weeks=week)) for week in range(4)
    ]
    ids = [approved_issue(migrated, newsletter, window=week).id for week in weeks]
    approved_issue(migrated, other)
    change(migrated, ids[1], IssueState.CANCELLED)
    with writing(migrated) as session:
        draft = ensure_issue(session, other.id, weeks[2], now=NOW)
    migrate(migrated, to="0007")
    assert {"issue_contents", "issue_topics", "hidden_items"}.isdisjoint(inspect(migrated).get_table_names())
    migrate(migrated)
    with reading(migrated) as session:
        assert [get_issue(session, issue_id).number for issue_id in ids] == [1, 0, 2, 3]
        assert next_number(session, newsletter.id) == 4
        assert next_number(session, other.id) == 2
        assert get_issue(session, draft.id).number == 0
        assert list_archived(session, newsletter.id, limit=9) == (), "what they said was not kept"
        assert newsletter_by_id(session, newsletter.id).archive is False


def test_newsletters_of_before_have_no_theme(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated, sign_up=False)
    with writing(migrated) as session:
        set_theme(session, newsletter.id, Theme(font="Verdana, sans-serif"))
    migrate(migrated, to="0007")
    migrate(migrated)
    with reading(migrated) as session:
        assert newsletter_by_id(session, newsletter.id) == newsletter


def test_suppressions_survive_the_way_down_from_0013_though_who_put_them_there_is_lost(
    migrated: Engine,
) -> None:
    with writing(migrated) as session:
        suppress(session, "ada@example.org", reason="by_hand", detail="asked", now=NOW, issue_id=3, by="cy")
        suppress(session, "ben@example.org", reason="complaint", detail="", now=NOW)
        remove_suppression(session, "ben@example.org", by="cy", why="asked for it", now=NOW)
    migrate(migrated, to="0012")
    assert {"returned_mails", "soft_bounces", "suppression_removals"}.isdisjoint(
        inspect(migrated).get_table_names()
    )
    migrate(migrated)
    with reading(migrated) as session:
        found = find_suppression(session, "ada@example.org")
        assert found == Suppression("ada@example.org", "by_hand", "asked", NOW)
        assert removals_of(session, "ben@example.org") == ()


def test_a_week_that_was_made_again_keeps_its_newest_issue_down_to_0013_and_up_again(
    migrated: Engine,
) -> None:
    newsletter = stored_newsletter(migrated)
    first = approved_issue(migrated, newsletter)
    change(migrated, first, IssueState.CANCELLED)
    with writing(migrated) as session:
        second = make_issue(session, newsletter.id, WINDOW, now=NOW)
        third_week = Window(WINDOW.end, WINDOW.end + timedelta(days=7))
        gone = ensure_issue(session, newsletter.id, third_week, now=NOW)
        session.execute(text("DELETE FROM issues WHERE id = :id"), {"id": gone.id})
        identity = find_home(session)
    migrate(migrated, to="0013")
    with migrated.connect() as connection:
        assert connection.scalars(text("SELECT id FROM issues")).all() == [second.id]
    migrate(migrated)
    with writing(migrated) as session:
        assert get_issue(session, second.id) == second
        assert ensure_issue(session, newsletter.id, WINDOW, now=NOW) == second
        # A link in a mail may name the issue that is gone: its number is not given again.
        assert ensure_issue(session, newsletter.id, third_week, now=NOW).id > gone.id
        home = find_home(session)
        assert home is not None
        assert identity is not None
        assert (home.place, home.identity) != ("", identity.identity)


def test_an_issue_paused_before_pauses_were_noted_goes_on(migrated: Engine) -> None:
    newsletter = stored_newsletter(migrated)
    issue = approved_issue(migrated, newsletter)
    migrate(migrated, to="0013")
    with migrated.begin() as connection:
        connection.execute(text("UPDATE issues SET state = 'paused', note = 'a typo'"))
        connection.execute(text("UPDATE issues SET sending_at = approved_at"))
    migrate(migrated)
    with writing(migrated) as session:
        assert resume_issue(session, issue.id, by="Ada", now=NOW).state is IssueState.SENDING


def test_0050_closes_departures_of_who_is_here_and_pairs_what_was_left_at_once(migrated: Engine) -> None:
    weekly, daily = stored_newsletter(migrated), stored_newsletter(migrated, slug="daily")
    for each in (weekly, daily):
        who = stored_reader(migrated, each, "anna@example.org")
    migrate(migrated, to="0049")
    with migrated.begin() as connection:
        for number, (newsletter, at) in enumerate(((weekly, 1), (daily, 1), (daily, 2)), start=1):
            connection.execute(
                text(
                    "INSERT INTO departures (id, newsletter_id, subscriber_id, at, reason, words) "
                    f"VALUES ({number}, {newsletter.id}, {who}, '2026-11-0{at} 00:00:00', '', '')"
                )
            )
        connection.execute(
            text(f"UPDATE subscriptions SET state = 'unsubscribed' WHERE newsletter_id = {daily.id}")
        )
    migrate(migrated)
    with migrated.connect() as connection:
        rows = connection.execute(
            text("SELECT act, undone_at IS NULL, state_before FROM departures ORDER BY id")
        ).all()
    assert [(act, bool(is_open), was) for act, is_open, was in rows] == [
        (1, False, "active"),
        (1, True, "active"),
        (3, True, "active"),
    ]


@pytest.mark.parametrize("table", ["opens", "followed_links"])
def test_what_was_measured_before_anybody_kept_for_how_long_is_kept_for_90_days(
    migrated: Engine, table: str
) -> None:
    newsletter = stored_newsletter(migrated)
    ada = stored_reader(migrated, newsletter, "ada@example.org")
    issue = approved_issue(migrated, newsletter)
    more = {"position": 0, "topic": "climate", "source": "Meridian"} if table == "followed_links" else {}
    migrate(migrated, to="0054")
    with migrated.begin() as connection:
        of = {"newsletter_id": newsletter.id, "subscriber_id": ada, "since": NOW}
        _insert(connection, "measured_readers", of)
        _insert(connection, table, {"issue_id": issue.id, "subscriber_id": ada, "at": NOW, **more})
    migrate(migrated)
    row = FollowedLinkRow if more else OpenRow
    with reading(migrated) as session:
        assert session.scalars(select(row.until)).one() == NOW + timedelta(days=90)
        agreed = agreement_of(session, newsletter.id, ada)
    assert agreed == Agreement(NOW, 90, may_spare=False)


def _insert(connection: Connection, table: str, row: Mapping[str, object]) -> None:
    stored = {**row, **{name: _moment(connection, at) for name, at in row.items() if at is NOW}}
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"), stored)


def _moment(connection: Connection, at: object) -> object:
    """A moment as SQLite keeps it, whose driver is not told what the column is."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}" if connection.dialect.name == "sqlite" else at
