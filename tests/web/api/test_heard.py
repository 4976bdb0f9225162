"""What readers told after an issue, over the API and by the command's own function."""

from __future__ import annotations

from datetime import timedelta

from digest.domain.departures import Reason
from digest.domain.newsletters import NewsletterId
from digest.store.claims import arm_deliveries, claim_deliveries
from digest.store.database import writing
from digest.track.feedback import say_useful
from digest.track.leaving import resubscribe, say_why
from digest.track.steps import unsubscribe
from tests.web.api.conftest import Api
from tests.web.api.test_reading import problem
from tests.web.world import ADA, BEN, NOW, SENDING, reader_id

SATURDAY = NewsletterId(1)


def test_what_readers_told_is_told_of_nobody_in_particular(api: Api) -> None:
    engine = api.runtime.engine
    nothing = {"left": 0, "reasons": [], "articles": [], "words": []}
    assert api.get(f"/issues/{SENDING}/heard") == nothing
    with writing(engine) as session:
        claims = claim_deliveries(
            session, SENDING, owner="worker", limit=9, now=NOW, lease_until=NOW + timedelta(minutes=5)
        )
        arm_deliveries(session, claims, owner="worker", now=NOW)
    for email in (ADA, BEN):
        who = reader_id(engine, email)
        say_useful(
            engine,
            SATURDAY,
            who,
            issue_id=SENDING,
            position=0,
            source="Meridian",
            is_useful=email == ADA,
            now=NOW,
        )
        unsubscribe(engine, SATURDAY, who, now=NOW)
    say_why(engine, SATURDAY, reader_id(engine, ADA), reason=Reason.TOO_OFTEN, words="Weekly!")
    told = api.get(f"/issues/{SENDING}/heard")
    assert told["left"] == 2
    assert told["reasons"] == [{"reason": "too-often", "in_words": "it comes too often", "readers": 1}]
    assert told["words"] == ["Weekly!"]
    (article,) = told["articles"]
    assert (article["position"], article["useful"], article["not_useful"]) == (0, 1, 1)
    assert article["title"]
    resubscribe(engine, SATURDAY, reader_id(engine, ADA), now=NOW)
    after = api.get(f"/issues/{SENDING}/heard")
    assert (after["left"], after["reasons"], after["words"]) == (1, [], [])
    problem(api.call("GET", "/issues/99/heard"), 404, "not-found")
