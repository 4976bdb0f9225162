"""Each program's export, with the columns it writes: who is mailed, who never is, and what they follow."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.domain.erasing import NO_MARKS
from digest.domain.errors import InvalidInput
from digest.domain.subscribers import SubscriptionState
from digest.intake.lists.outcomes import Outcome
from digest.store.database import reading
from digest.store.subscription_lists import known_among
from digest.store.suppressions import find_suppression
from tests.intake.lists.conftest import Intake
from tests.stored import CLIMATE, FOOD, SPACE

ACTIVE, UNSUBSCRIBED, PAUSED = (
    SubscriptionState.ACTIVE,
    SubscriptionState.UNSUBSCRIBED,
    SubscriptionState.PAUSED,
)

_MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,"
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)


def mailchimp(email: str, tags: str = "", zone: str = "Europe/Paris") -> str:
    return (
        f'{email},Ada,Fenwick,2,"2020-02-03 04:05:06",192.0.2.7,"2020-02-03 04:06:00",192.0.2.7,48.1,2.3,1,2,'
        f'{zone},fr,idf,"2021-01-01 00:00:00",123,abcd,,{tags}'
    )


def mailchimp_files(intake: Intake) -> tuple[Path, Path, Path]:
    return (
        intake.file(
            "subscribed_members_export_1a2b.csv",
            _MAILCHIMP,
            mailchimp("ada@example.org", '"""Climate"",""Long reads"""'),
            mailchimp("ben@example.org", '"""Space, mostly"""', zone="Kuala Lumpur"),
        ),
        intake.file(
            "unsubscribed_members_export_1a2b.csv",
            f"{_MAILCHIMP},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER",
            f'{mailchimp("cleo@example.org")},"2022-03-04 05:06:07",June,77,NORMAL,',
        ),
        intake.file(
            "cleaned_members_export_1a2b.csv",
            f"{_MAILCHIMP},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID",
            f'{mailchimp("dora@example.org")},"2022-05-06 07:08:09",July,78',
        ),
    )


def test_the_three_files_of_mailchimp_come_in_together(intake: Intake) -> None:
    done = intake(*mailchimp_files(intake), tags={"Space, mostly": "space"})
    assert done.counts == {Outcome.ADDED: 2, Outcome.UNSUBSCRIBED: 1, Outcome.SUPPRESSED: 1}
    assert done.unknown_tags == {"Long reads": 1}
    ada, ben, cleo = intake.subscriptions.values()
    assert (ada.subscriber.name, ada.subscriber.timezone, ada.follows) == (
        "Ada Fenwick",
        "Europe/Paris",
        {CLIMATE},
    )
    assert (ben.subscriber.timezone, ben.follows) == ("", {SPACE}), "a zone of no name is only not known"
    assert cleo.state is UNSUBSCRIBED
    with reading(intake.engine) as session:
        known = known_among(session, intake.newsletter.id, ["ada@example.org"], marked=NO_MARKS)
        never = find_suppression(session, "dora@example.org")
    assert known["ada@example.org"].since == datetime(2020, 2, 3, 4, 6, tzinfo=UTC)
    assert never is not None
    assert (never.detail, never.by) == ("cleaned by Mailchimp: mail to it came back", "ops")


def test_the_zip_that_mailchimp_hands_out_comes_in_as_it_is(intake: Intake) -> None:
    packed = intake.folder / "audience.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for path in mailchimp_files(intake):
            out.write(path, f"export/{path.name}")
        out.writestr("export/campaigns.csv", "Title,Sent\nJune,4\n")
        out.writestr("__MACOSX/export/._campaigns.csv", "\0\0")
    done = intake(packed)
    assert (done.added, done.counts[Outcome.SUPPRESSED]) == (2, 1)
    assert done.notes[0] == "audience.zip/campaigns.csv: no list of people; left out"


def test_a_second_import_of_the_same_files_changes_nothing(intake: Intake) -> None:
    files = mailchimp_files(intake)
    intake(*files)
    before = intake.subscriptions
    again = intake(*files)
    assert again.counts == {Outcome.UPDATED: 2, Outcome.STAYS_AWAY: 1, Outcome.NEVER_MAILED: 1}
    assert intake.subscriptions == before


def test_tags_that_were_forgotten_are_led_to_topics_by_importing_again(intake: Intake) -> None:
    files = mailchimp_files(intake)
    assert intake(*files).without_topic == 1
    intake(*files, tags={"space, mostly": "space", "Long reads": "food"})
    ada, ben, _ = intake.subscriptions.values()
    assert (ada.follows, ben.follows) == ({CLIMATE}, {SPACE}), "who follows something keeps to it"


LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"


def test_listmonk_tells_in_attributes_what_they_follow(intake: Intake) -> None:
    file = intake.file(
        "subscribers.csv",
        LISTMONK,
        '1-a,ada@example.org,Ada,"{""topics"": [""climate"", ""Food""], ""lang"": ""de"", ""n"": 3}",'
        "enabled,2021-03-01T10:00:00Z,2021-03-01T10:00:00Z",
        '1-b,ben@example.org,Ben,"{""city"": ""Space""}",enabled,2021-03-01T10:00:00Z,',
        "1-c,cleo@example.org,Cleo,{},disabled,2021-03-01T10:00:00Z,2022-03-01T10:00:00Z",
        "1-d,dora@example.org,Dora,{},blocklisted,2021-03-01T10:00:00Z,",
    )
    done = intake(file, tags_from=["City"])
    assert done.counts == {Outcome.ADDED: 2, Outcome.UNSUBSCRIBED: 1, Outcome.SUPPRESSED: 1}
    ada, ben, _ = intake.subscriptions.values()
    assert (ada.follows, ada.subscriber.language, ben.follows) == ({CLIMATE, FOOD}, "de", {SPACE})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("{,enabled", "attributes are no JSON"),
        ("[],enabled", "attributes are JSON, but no object"),
        ("{},gone", "status 'gone' is none of listmonk's: enabled, disabled, blocklisted"),
    ],
)
def test_a_line_that_listmonk_never_wrote_is_told(intake: Intake, fields: str, said: str) -> None:
    file = intake.file("subscribers.csv", LISTMONK, f"1-a,ada@example.org,Ada,{fields},,")
    with pytest.raises(InvalidInput, match=r"subscribers.csv line 2: ") as told:
        intake(file)
    assert said in str(told.value)


def test_ghost_tells_by_labels(intake: Intake) -> None:
    file = intake.file(
        "members.csv",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,"
        "labels,tiers",
        'm1,ada@example.org,Ada,"VIP, early",true,false,,2021-03-01T10:00:00.000Z,,"climate,Space",',
        "m2,ben@example.org,Ben,,false,false,,2021-03-01T10:00:00.000Z,,climate,",
        "m3,cleo@example.org,Cleo,,true,false,,2021-03-01T10:00:00.000Z,2022-01-01T00:00:00.000Z,,",
    )
    assert intake(file).counts == {Outcome.ADDED: 1, Outcome.UNSUBSCRIBED: 2}
    assert intake.subscriptions["ada@example.org"].follows == {CLIMATE, SPACE}


def test_substack_knows_no_topics_so_all_follow_those_that_are_named(intake: Intake) -> None:
    file = intake.file(
        "email_list.weekly.csv",
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
        "ada@example.org,false,,other,false,2024-01-10T00:00:00Z,",
        "ben@example.org,true,2027-01-01,yearly,true,2024-01-10T00:00:00Z,2024-02-01",
    )
    assert intake(file, everybody=["climate", "food"]).counts == {
        Outcome.ADDED: 1,
        Outcome.UNSUBSCRIBED: 1,
    }
    assert intake.subscriptions["ada@example.org"].follows == {CLIMATE, FOOD}


def test_beehiiv_tells_who_never_confirmed(intake: Intake) -> None:
    file = intake.file(
        "subscriptions.csv",
        "id,email,status,subscription_tier,created_at,utm_source,tags",
        "s1,ada@example.org,active,free,2024-03-05 12:00:00 UTC,x,climate;space",
        "s2,ben@example.org,pending,free,2024-03-05 12:00:00 UTC,,",
        "s3,cleo@example.org,inactive,free,2024-03-05 12:00:00 UTC,,",
        "s4,dora@example.org,invalid,free,2024-03-05 12:00:00 UTC,,",
        "s5,emil@example.org,paused,free,2024-03-05 12:00:00 UTC,,food",
    )
    assert intake(file).counts == {
        Outcome.ADDED: 2,
        Outcome.UNCONFIRMED: 1,
        Outcome.UNSUBSCRIBED: 1,
        Outcome.SUPPRESSED: 1,
    }
    assert {email: one.state for email, one in intake.subscriptions.items()} == {
        "ada@example.org": ACTIVE,
        "cleo@example.org": UNSUBSCRIBED,
        "emil@example.org": PAUSED,
    }
    assert intake.subscriptions["ada@example.org"].follows == {CLIMATE, SPACE}


def test_a_list_of_no_program_is_told_by_naming_its_columns(intake: Intake) -> None:
    file = intake.file("kunden.csv", "E-Mail;Vorname;Nachname;Ort", "ada@example.org;Ada;Fenwick;Lisbon")
    columns = {"E-Mail": "email", "vorname": "first_name", "Nachname": "last_name"}
    assert intake(file, columns=columns, everybody=["food"]).added == 1
    (ada,) = intake.subscriptions.values()
    assert (ada.subscriber.name, ada.follows) == ("Ada Fenwick", {FOOD})


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"columns": {"Mail": "email"}}, "there is no column 'mail'; there is: email"),
        ({"columns": {"email": "phone"}}, "column 'email' cannot stand for 'phone'; there is: email, name"),
        ({"tags": {"x": "sports"}}, "no topic 'sports'"),
        ({"everybody": ["sports"]}, "no topic 'sports'"),
        ({"program": "mailchimp"}, "mailchimp writes the columns euid, leid, and not all of them are there"),
        ({"program": "mailman"}, "no list is written by 'mailman'; known are: mailchimp, listmonk"),
    ],
)
def test_terms_that_fit_nothing_are_told(intake: Intake, terms: dict[str, object], said: str) -> None:
    file = intake.file("readers.csv", "email", "ada@example.org")
    with pytest.raises(InvalidInput, match=said):
        intake(file, **terms)  # type: ignore[arg-type]
    assert intake.subscriptions == {}


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no zip", "cannot be read as a zip"), (b"PK\x05\x06" + bytes(18), "holds no .csv file")],
)
def test_a_zip_that_holds_no_list_is_told(intake: Intake, content: bytes, said: str) -> None:
    packed = intake.folder / "audience.zip"
    packed.write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        intake(packed)


def test_a_zip_that_is_damaged_is_told(intake: Intake) -> None:
    packed = intake.folder / "audience.zip"
    lines = "email,name\n" + "".join(f"reader{n}@example.org,Reader {n * n}\n" for n in range(2_000))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("readers.csv", lines)
    content = bytearray(packed.read_bytes())
    content[200:600] = b"\xff" * 400
    packed.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"readers.csv cannot be unpacked"):
        intake(packed)
    assert intake.subscriptions == {}


def test_what_json_can_spell_and_no_database_takes_is_replaced(intake: Intake) -> None:
    attributes = r'"{""lang"": ""d\u0000e"", ""tags"": [""a\ud800b"", ""climate""]}"'
    file = intake.file("s.csv", LISTMONK, f"1-a,ada@example.org,Ada,{attributes},enabled,,")
    assert intake(file).unknown_tags == {"a\ufffdb": 1}
    (ada,) = intake.subscriptions.values()
    assert (ada.subscriber.language, ada.follows) == ("d\ufffde", {CLIMATE})
