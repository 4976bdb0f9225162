"""What readers say of articles, by issue and by source."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from digest.domain.feedback import Feedback
from digest.domain.subscribers import SubscriberId
from digest.store.database import reading, writing
from digest.store.feedback import feedback_by_source, feedback_on, record_feedback
from tests.stored import CLIMATE, NOW, approved_issue, stored_newsletter, stored_reader


def test_of_a_source_readers_are_counted_and_not_their_answers(engine: Engine) -> None:
    newsletter = stored_newsletter(engine)
    anna, ben, cleo, dan = (
        stored_reader(engine, newsletter, f"{name}@example.org", CLIMATE)
        for name in ("anna", "ben", "cleo", "dan")
    )
    issue = approved_issue(engine, newsletter).id

    def say(who: SubscriberId, position: int, source: str, is_useful: bool) -> None:
        with writing(engine) as session:
            record_feedback(
                session,
                newsletter.id,
                who,
                issue_id=issue,
                position=position,
                source=source,
                is_useful=is_useful,
                now=NOW,
            )

    for position in range(30):
        say(anna, position, "Meridian", position != 0)
    say(ben, 0, "Meridian", False)
    say(cleo, 0, "Meridian", False)
    say(cleo, 1, "Harbour Post", True)
    for position in range(2):
        say(dan, position, "Harbour Post", bool(position))
    with reading(engine) as session:
        told = feedback_by_source(session, newsletter.id, since=NOW)
        assert told == {"Meridian": Feedback(1, 2), "Harbour Post": Feedback(1, 0)}
        assert feedback_on(session, issue)[0] == Feedback(0, 4)
        assert not feedback_by_source(session, newsletter.id, since=NOW + timedelta(seconds=1))
