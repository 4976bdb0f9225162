"""What an import does to those who are here, line by line; what a trial says; and a list out and in again."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from digest.domain.consents import ConsentAct, ConsentSource
from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SubscriptionState
from digest.domain.suppressions import SuppressionReason
from digest.intake.lists.export import export_list
from digest.intake.lists.outcomes import Outcome
from digest.store.audit import list_entries
from digest.store.consents import consents_of
from digest.store.database import reading, writing
from digest.store.subscribers import set_subscription_state
from digest.store.suppressions import find_suppression, suppress
from tests.intake.lists.conftest import Intake
from tests.stored import CLIMATE, FOOD, NOW, SPACE, stored_newsletter, stored_reader

ACTIVE, UNSUBSCRIBED, PAUSED = (
    SubscriptionState.ACTIVE,
    SubscriptionState.UNSUBSCRIBED,
    SubscriptionState.PAUSED,
)


def test_who_is_suppressed_here_is_left_out(intake: Intake) -> None:
    with writing(intake.engine) as session:
        suppress(session, "ada@example.org", reason=SuppressionReason.COMPLAINT, detail="", now=NOW)
    done = intake(intake.file("readers.csv", "email", "Ada@example.org", "ben@example.org"))
    assert done.counts == {Outcome.NEVER_MAILED: 1, Outcome.ADDED: 1}
    assert done.notes == ("readers.csv line 2: Ada@example.org is on the suppression list; left out",)
    assert set(intake.subscriptions) == {"ben@example.org"}
    with reading(intake.engine) as session:
        never = find_suppression(session, "ada@example.org")
    assert never is not None
    assert never.reason == SuppressionReason.COMPLAINT


@pytest.mark.parametrize(
    ("left", "state"),
    [
        ("", UNSUBSCRIBED),
        ((NOW + timedelta(days=1)).isoformat(), UNSUBSCRIBED),  # nothing lies in the future: it is now
        ((NOW - timedelta(days=9)).isoformat(), ACTIVE),
    ],
)
def test_who_left_there_is_unsubscribed_here_unless_they_came_here_later(
    intake: Intake, left: str, state: SubscriptionState
) -> None:
    stored_reader(intake.engine, intake.newsletter, "ada@example.org", SPACE)
    intake(intake.file("gone.csv", "email,state,since", f"ada@example.org,unsubscribed,{left}"))
    ada = intake.subscriptions["ada@example.org"]
    assert (ada.state, ada.follows) == (state, {SPACE})


def test_who_left_in_one_of_two_files_is_not_mailed(intake: Intake) -> None:
    first = intake.file("a.csv", "email,name,topics", "ada@example.org,Ada,climate")
    second = intake.file("b.csv", "email,state", "ADA@example.org,unsubscribed")
    done = intake(first, second)
    assert done.counts == {Outcome.MERGED: 1, Outcome.UNSUBSCRIBED: 1}
    assert "b.csv line 2: ADA@example.org is the mailbox of a.csv line 2; taken as one" in done.notes
    assert intake.subscriptions["ada@example.org"].state is UNSUBSCRIBED


def test_another_programs_list_leaves_what_readers_chose_here(intake: Intake) -> None:
    stored_reader(intake.engine, intake.newsletter, "ada@example.org", SPACE)
    stored_reader(intake.engine, intake.newsletter, "ben@example.org")
    file = intake.file(
        "members.csv",
        "email,name,subscribed_to_emails,complimentary_plan,labels",
        "ada@example.org,Ada,true,,climate",
        "ben@example.org,Ben,true,,climate",
    )
    assert intake(file).updated == 2
    ada, ben = intake.subscriptions.values()
    assert (ada.follows, ada.subscriber.name) == ({SPACE}, "Ada")
    assert ben.follows == {CLIMATE}, "who followed nothing is given what the list says"


def test_wrong_lines_are_left_out_where_that_is_wanted(intake: Intake) -> None:
    file = intake.file("readers.csv", "email,topics", "nobody,", "ada@example.org,food", "ben@example.org,x")
    with pytest.raises(InvalidInput):
        intake(file)
    assert intake.subscriptions == {}
    done = intake(file, skips_wrong=True)
    assert done.counts == {Outcome.WRONG: 2, Outcome.ADDED: 1}
    assert [(one.line, one.outcome) for one in intake.told] == [
        (2, Outcome.WRONG),
        (4, Outcome.WRONG),
        (3, Outcome.ADDED),
    ]
    assert "no topic 'x'" in intake.told[1].said


def test_a_trial_tells_the_same_and_changes_nothing(intake: Intake) -> None:
    ada = stored_reader(intake.engine, intake.newsletter, "ada@example.org", SPACE)
    with writing(intake.engine) as session:
        set_subscription_state(session, intake.newsletter.id, ada, PAUSED, now=NOW)
    file = intake.file(
        "readers.csv",
        "email,topics,state",
        "ada@example.org,food,",
        "ben@example.org,food,",
        "BEN@example.org,climate,",
        "cleo@example.org,,unsubscribed",
        "nobody,,",
    )
    trial = intake(file, is_trial=True)
    assert set(intake.subscriptions) == {"ada@example.org"}
    assert intake.subscriptions["ada@example.org"].follows == {SPACE}
    with reading(intake.engine) as session:
        assert list_entries(session, limit=9) == ()
    assert intake(file, skips_wrong=True).counts == trial.counts
    assert intake.subscriptions["ben@example.org"].follows == {FOOD, CLIMATE}
    with reading(intake.engine) as session:
        (entry,) = list_entries(session, limit=9)
    assert (entry.what, entry.about, entry.detail, entry.by) == (
        "subscribers.imported",
        intake.newsletter.slug,
        "5 lines",
        "ops",
    )


def test_a_list_goes_out_and_comes_in_again_as_it_was(intake: Intake) -> None:
    file = intake.file(
        "readers.csv",
        "email,name,topics,language,timezone,cadence,max_items,send_at,text_only,state,since,paused_until",
        "ada@example.org,'=SUM(A1),climate;space,en,Europe/London,every,5,saturday 08:00,yes,active,"
        "2020-01-02T03:04:05+00:00,",
        'ben@example.org,"Ben, the elder",,,,,,,,paused,2021-01-02T03:04:05+00:00,2099-01-01T00:00:00+00:00',
        "cleo@example.org,,,,,,,,,unsubscribed,2022-01-02T03:04:05+00:00,",
    )
    intake(file)
    ada, ben = intake.subscriptions["ada@example.org"], intake.subscriptions["ben@example.org"]
    assert (ada.subscriber.name, ada.send_at, ada.text_only) == ("=SUM(A1)", "saturday 08:00", True)
    assert ben.paused_until == datetime(2099, 1, 1, tzinfo=UTC)
    out = io.StringIO()
    assert export_list(intake.engine, intake.newsletter.id, out) == 3
    assert "'=SUM(A1)" in out.getvalue(), "no spreadsheet takes it for a formula"
    before = list(intake.subscriptions.values())
    intake.newsletter = stored_newsletter(intake.engine, slug="daily")
    intake(intake.file("again.csv", out.getvalue()))
    again = io.StringIO()
    export_list(intake.engine, intake.newsletter.id, again)
    assert again.getvalue() == out.getvalue()
    assert [one.state for one in intake.subscriptions.values()] == [one.state for one in before]


def test_those_of_one_state_go_out_alone(intake: Intake) -> None:
    intake(intake.file("r.csv", "email,state", "ada@example.org,paused", "ben@example.org,"))
    out = io.StringIO()
    assert export_list(intake.engine, intake.newsletter.id, out, state=PAUSED) == 1
    assert "ada@example.org" in out.getvalue()


def test_bytes_that_are_no_utf_8_are_told_with_their_line(intake: Intake) -> None:
    path = intake.folder / "readers.csv"
    path.write_bytes("email,name\nada@example.org,Ada\nben@example.org,J\xf6rg\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"readers.csv line 3: holds the byte 0xf6, which is not UTF-8"):
        intake(path)
    assert intake(path, skips_wrong=True).added == 1
    path.write_bytes("email\nada@example.org\n".encode("utf-16"))
    with pytest.raises(InvalidInput, match=r"readers.csv line 1: holds the byte 0xff"):
        intake(path)


def test_of_many_notes_ten_are_told_and_the_rest_counted(intake: Intake) -> None:
    lines = [f"reader{n}@example.org,unsubscribed" for n in range(13)]
    done = intake(intake.file("gone.csv", "email,state", *lines))
    assert len(done.notes) == 11
    assert done.notes[-1] == "… and 3 more lines like these"


def test_a_list_says_since_when_and_from_where_its_people_agreed(intake: Intake) -> None:
    stored_reader(intake.engine, intake.newsletter, "ben@example.org")
    list_of = intake.file(
        "mailchimp.csv",
        "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID",
        "ada@example.org,2024-03-05 10:00:00,192.0.2.7,2024-03-05 10:05:00,192.0.2.7,1,a",
        "ben@example.org,2024-03-06 10:00:00,192.0.2.8,2024-03-06 10:05:00,192.0.2.8,2,b",
    )
    assert intake(list_of).counts == {Outcome.ADDED: 1, Outcome.UPDATED: 1}
    people = intake.subscriptions
    with reading(intake.engine) as session:
        (ada,) = consents_of(session, intake.newsletter.id, people["ada@example.org"].subscriber.id)
        assert not consents_of(session, intake.newsletter.id, people["ben@example.org"].subscriber.id)
    assert (ada.act, ada.source, ada.by) == (ConsentAct.ADDED, ConsentSource.IMPORT, "ops")
    assert (ada.at.isoformat()[:10], ada.network, ada.recorded_at) == ("2024-03-05", "192.0.2.7", NOW)
