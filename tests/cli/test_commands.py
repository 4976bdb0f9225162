"""Every command once, as it is meant to be used."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from digest.compose.steps import compose
from digest.domain.times import local_midnight
from digest.runtime import open_runtime
from digest.store.database import writing
from digest.store.issues import get_issue
from digest.store.newsletters import NewsletterRow, get_newsletter
from digest.store.sources import list_sources
from tests.cli.conftest import WRONG, ZONE, Digest, change_settings, rows_in
from tests.servers.smtp_sink import SmtpSink
from tests.stored import CLIMATE, sample_article, stored_article


def test_a_newsletter_is_added_shown_listed_and_removed(home: Path, digest: Digest) -> None:
    added = digest(
        *("newsletter", "add", "weekly", "--name", "The Weekly", "--from", "editors@example.org"),
        *("--postal-address", "1 Quay Street", "--timezone", "Europe/Lisbon", "--window-days", "3"),
    ).well()
    assert "digest topic add weekly" in added.out
    shown = digest("newsletter", "show", "weekly", "--json").json
    assert (shown["timezone"], shown["window_days"], shown["approval"]) == ("Europe/Lisbon", 3, "manual")
    assert [one["slug"] for one in digest("newsletter", "list", "--json").json] == ["weekly"]
    assert "The Weekly" in digest("newsletter", "list").well().out
    assert digest("newsletter", "remove", "weekly", answer="y").well().out.endswith("Removed The Weekly.\n")
    assert digest("newsletter", "list", "--json").json == []
    assert "digest newsletter add" in digest("newsletter", "list").well().out


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (["newsletter", "show", "weekly"], "1 Quay Street"),
        (["topic", "list", "weekly"], "energy, emissions"),
        (["topic", "show", "weekly", "climate"], "Climate"),
        (["subscriber", "list", "weekly"], "climate, space"),
        (["subscriber", "show", "weekly", "Ada@Example.org"], "ada@example.org"),
        (["source", "list", "weekly"], "digest source add weekly URL"),
        (["schedule", "list"], "digest schedule add"),
        (["issue", "list"], "digest run NEWSLETTER"),
    ],
)
def test_people_and_programs_can_look_at_what_there_is(
    weekly: Path, digest: Digest, what: list[str], words: str
) -> None:
    assert words in digest(*what).well().out
    assert digest(*what, "--json").well().json is not None


def test_subscribers_choose_how_often_and_how_much_of_what_is_offered(weekly: Path, digest: Digest) -> None:
    changed = digest(
        *("newsletter", "change", "weekly", "--local-time", "--cadence", "monthly", "--cadence", "every")
    ).well()
    assert "another cadence" in changed.out
    shown = digest("newsletter", "show", "weekly", "--json").json
    assert (shown["local_time"], shown["cadences"]) == (True, ["every", "monthly"])
    ada = ("weekly", "ada@example.org")
    said = digest("subscriber", "add", *ada, "--cadence", "monthly", "--max-items", "5").well().out
    assert "climate, space, the first issue of each month, 5 articles at most." in said
    digest("subscriber", "add", *ada, "--max-items", "0").well()
    told = digest("subscriber", "show", *ada, "--json").json
    assert (told["cadence"], told["max_items"]) == ("monthly", None)


def test_subscribers_choose_when_and_in_which_form_and_pause_until_a_day(
    weekly: Path, digest: Digest
) -> None:
    ada = ("weekly", "ada@example.org")
    said = digest("subscriber", "add", *ada, "--send-at", "saturday 8", "--text-only").well().out
    assert "climate, space, on Saturdays at 08:00, without HTML." in said
    digest("subscriber", "add", *ada, "--send-at", "noon").refused(WRONG, "'noon' is no day and hour")
    until = datetime.now(ZONE).date() + timedelta(days=30)
    assert "gets no mail of" in digest("subscriber", "pause", *ada, "--until", f"{until}").well().out
    told = digest("subscriber", "show", *ada).well().out
    begins = local_midnight(until, ZONE)
    assert f"paused, back by themselves on {begins:%Y-%m-%d %H:%M} UTC" in told
    assert "without HTML" in told
    assert "on Saturdays at 08:00" in told
    digest("subscriber", "pause", *ada, "--until", "2020-01-01").refused(WRONG, "a pause cannot end on")
    digest("subscriber", "remove", *ada).well()
    digest("subscriber", "pause", *ada).refused(WRONG, "there is nothing to pause")


def test_a_removed_topic_is_followed_by_nobody(weekly: Path, digest: Digest) -> None:
    digest("topic", "remove", "weekly", "climate").well()
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["follows"] == ["space"]


def test_a_removed_subscriber_stays_unsubscribed_unless_asked_for(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "remove", "weekly", "ada@example.org").well()
    back = ("subscriber", "add", "weekly", "ada@example.org", "--topic", "space")
    digest(*back).refused(2, "ada@example.org unsubscribed", "--again")
    digest(*back, "--again").well()
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["state"] == "active"


@pytest.mark.parametrize("state", ["paused", "pending"])
def test_setting_topics_makes_nobody_active_who_paused_or_never_confirmed(
    weekly: Path, digest: Digest, state: str
) -> None:
    with closing(sqlite3.connect(weekly / "digest.db")) as database, database:
        database.execute("UPDATE subscriptions SET state = ?", (state,))
    add = ("subscriber", "add", "weekly", "ada@example.org", "--topic", "space")
    said = " ".join(digest(*add).well().out.split())
    assert "so they get no mail; --again changes that, if they asked for it" in said
    shown = digest("subscriber", "show", "weekly", "ada@example.org", "--json").json
    assert (shown["state"], shown["follows"]) == (state, ["space"])
    digest(*add, "--again").well()
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["state"] == "active"


def test_a_subscriber_who_is_there_keeps_their_topics_unless_others_are_named(
    weekly: Path, digest: Digest
) -> None:
    known = ("subscriber", "add", "weekly", "Ada@example.org")
    assert "follows climate, space" in digest(*known, "--name", "Ada Fenwick").well().out
    shown = digest("subscriber", "show", "weekly", "ada@example.org", "--json").json
    assert (shown["subscriber"]["name"], sorted(shown["follows"])) == ("Ada Fenwick", ["climate", "space"])
    assert "follows space." in digest(*known, "--topic", "space").well().out
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["follows"] == ["space"]


def test_a_list_of_subscribers_goes_on_where_it_stopped(weekly: Path, digest: Digest) -> None:
    first = digest("subscriber", "list", "weekly", "--limit", "2").well()
    assert "More: --after ben@example.org" in first.out
    rest = digest("subscriber", "list", "weekly", "--after", "ben@example.org", "--json").json
    assert [one["subscriber"]["email"] for one in rest] == ["cy@example.org"]
    assert (
        digest("subscriber", "list", "weekly", "--after", "zoe").well().out
        == "No subscriber comes after zoe.\n"
    )


def test_a_source_without_a_name_is_called_by_its_host_and_the_next_by_its_address(
    weekly: Path, digest: Digest
) -> None:
    digest("source", "add", "weekly", "https://www.example.org/feed.xml", "--topic", "space").well()
    digest("source", "add", "weekly", "https://www.example.org/more.xml").well()
    names = [one["name"] for one in digest("source", "list", "weekly", "--json").json]
    assert names == ["example.org", "www.example.org/more.xml"]
    shown = digest("source", "show", "weekly", "https://www.example.org/feed.xml", "--json").json
    assert shown["topics"] == ["space"]
    digest("source", "remove", "weekly", "example.org").well()
    assert len(digest("source", "list", "weekly", "--json").json) == 1


def test_feeds_of_an_opml_file_get_the_topic_of_their_folder(weekly: Path, digest: Digest) -> None:
    Path("feeds.opml").write_text(
        '<opml version="2.0"><body>'
        '<outline text="Space"><outline text="Orbit" xmlUrl="https://example.org/orbit.xml"/></outline>'
        '<outline text="Misc"><outline text="Blog" xmlUrl="https://example.net/a.xml"/>'
        '<outline text="Blog" xmlUrl="https://example.com/b.xml"/></outline></body></opml>'
    )
    said = digest("source", "import", "weekly", "feeds.opml").well().out
    assert "Added 3 sources; 0 were there already." in said
    assert "Folder 'Misc' is no topic of weekly" in said
    found = {one["name"]: one["topics"] for one in digest("source", "list", "weekly", "--json").json}
    assert found == {"Orbit": ["space"], "Blog": [], "Blog (example.com)": []}
    assert "Added 0 sources; 3 were" in digest("source", "import", "weekly", "feeds.opml").well().out


def test_a_csv_file_adds_and_updates_subscribers(weekly: Path, digest: Digest) -> None:
    Path("readers.csv").write_text(
        "email,name,topics\ndora@example.org,Dora,space\nADA@example.org,Ada,climate\n"
    )
    said = digest("subscriber", "import", "weekly", "readers.csv").well().out
    assert said == "Added 1 subscriber, updated 1.\n"
    assert digest("subscriber", "show", "weekly", "ada@example.org", "--json").json["follows"] == ["climate"]


def test_a_list_as_a_spreadsheet_with_semicolons_writes_it_is_read_and_told(
    weekly: Path, digest: Digest
) -> None:
    Path("readers.csv").write_text("email;topics\ndora@example.org;climate,space\n")
    said = digest("subscriber", "import", "weekly", "readers.csv").well().out
    assert said == "readers.csv: read with semicolons between its fields\nAdded 1 subscriber, updated 0.\n"
    follows = digest("subscriber", "show", "weekly", "dora@example.org", "--json").json["follows"]
    assert follows == ["climate", "space"]


def test_a_schedule_is_added_looked_at_paused_resumed_and_removed(weekly: Path, digest: Digest) -> None:
    added = digest("schedule", "add", "weekly", "0 7 * * MON", "--timezone", "Asia/Tokyo").well()
    assert "Monday" in added.out
    assert "JST" in added.out
    due = digest("schedule", "next", "1", "--count", "3", "--json").json
    assert [moment[11:] for moment in due] == ["07:00:00+09:00"] * 3
    digest("schedule", "pause", "1").well()
    assert "paused" in digest("schedule", "list").well().out
    assert "digest schedule resume 1" in digest("schedule", "next", "1").well().out
    digest("schedule", "resume", "1").well()
    assert digest("schedule", "list", "weekly", "--json").json[0]["schedule"]["is_paused"] is False
    digest("schedule", "remove", "1").well()
    assert digest("schedule", "list", "--json").json == []


def test_a_dry_run_says_who_would_get_what_and_leaves_nothing(drafted: Path, digest: Digest) -> None:
    before = rows_in(drafted)
    told = digest("run", "weekly", "--dry-run", "--json").well().json
    plans = {plan["email"]: plan for plan in told["readers"]}
    assert "Lantern-2 lands at the mouth of a lava tube on the Moon" in plans["ben@example.org"]["titles"]
    assert set(plans["ben@example.org"]["titles"]) < set(plans["ada@example.org"]["titles"])
    assert plans["cy@example.org"]["skipped"] == "follows no topic"
    assert digest("issue", "list", "--json").json[0]["state"] == "draft"
    assert not (drafted / "outbox").exists()
    assert rows_in(drafted) == before


def test_a_dry_run_of_a_sent_week_says_who_got_what(drafted: Path, digest: Digest) -> None:
    digest("issue", "approve", "1").well()
    digest("send", "1").well()
    said = digest("run", "weekly", "--dry-run").well().out
    for words in ("ada@example.org  accepted", "cy@example.org   none", "is sent already", "--window"):
        assert words in said


def test_a_draft_can_be_asked_who_would_get_what_and_why(drafted: Path, digest: Digest) -> None:
    said = digest("why", "ben@example.org", "1").well().out
    assert said.startswith("Issue 1 is a draft and may change")
    assert "ben@example.org would get this issue.\nThey follow Space." in said
    assert "follows Space" in said
    assert "is about Climate, which they do not follow" in said
    told = digest("why", "cy@example.org", "1", "--json").well().json
    assert told["verdict"] == "would get nothing of this issue: follows no topic"
    assert told["issue_state"] == "draft"
    digest("issue", "cancel", "1", "--yes").well()
    assert "it was cancelled before it was sent" in digest("why", "ada@example.org", "1").well().out


def test_an_approved_issue_is_shown_as_it_was_frozen(drafted: Path, digest: Digest) -> None:
    draft = digest("issue", "show", "1", "--json").json["items"]
    assert digest("issue", "show", "1").well().out.splitlines()[1].split()[-1] == "takeaways"
    digest("issue", "approve", "1").well()
    digest("topic", "remove", "weekly", "space").well()
    with sqlite3.connect("digest.db") as database:
        database.execute("DELETE FROM items")
        database.execute("DELETE FROM articles")
    database.close()
    frozen = digest("issue", "show", "1", "--json").json["items"]
    assert [(one["title"], one["topics"]) for one in frozen] == [
        (one["title"], one["topics"]) for one in draft
    ]
    said = digest("issue", "show", "1").well().out
    assert all(one["title"] in said for one in draft)


def test_deferred_mails_are_told_with_the_time_of_their_next_try(
    drafted: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    for name in ("one", "two"):
        digest("subscriber", "add", "weekly", f"defer-451.{name}@example.org", "--topic", "space").well()
    change_settings(drafted, mail_url=f"smtp://127.0.0.1:{smtp_sink.port}", mail_sessions=1)
    digest("issue", "approve", "1").well()
    for command in (["send", "1"], ["issue", "show", "1"], ["run", "weekly"]):
        said = digest(*command).well().out
        assert re.search(
            r"2 accepted, 2 deferred \(for one of them: 451 .+\); next try at ([\d-]+ at )?\d\d:\d\d "
            rf"\({re.escape(ZONE.key)}\)",
            said,
        )
        assert "'digest send 1' does from then on" in said
    deferred = digest("send", "1", "--json").well().json["deferred"]
    assert deferred["count"] == 2
    assert datetime.fromisoformat(deferred["next_try"]) > datetime.now(UTC)


def test_a_preview_says_how_many_readers_an_issue_is_too_long_for(drafted: Path, digest: Digest) -> None:
    assert "headlines" not in digest("issue", "preview", "1").well().err
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        session.execute(update(NewsletterRow).values(max_items=100))
        newsletter = get_newsletter(session, "weekly")
        (source,) = list_sources(session, newsletter.id)
        window = get_issue(session, 1).window
    for number in range(70):
        article = sample_article(f"long-{number}", published_at=window.start + timedelta(hours=1))
        stored_article(runtime.engine, newsletter, source, article, {CLIMATE: 0.9})
    compose(runtime.engine, newsletter, window, now=window.end)
    said = " ".join(digest("issue", "preview", "1", "--text").well().err.split())
    assert "warning: 30 articles are only a headline here, for want of room (layout)" in said
    assert "1 reader (1 edition) get some articles as headlines, 1 of them some online only" in said


def test_a_draft_is_edited_looked_at_approved_and_sent(drafted: Path, digest: Digest) -> None:
    digest("issue", "edit", "1", "--subject", "What the week was about").well()
    shown = digest("issue", "preview", "1", "--as", "ben@example.org", "--out", "ben.v1").well()
    assert shown.out == "What the week was about\nben.v1.html\nben.v1.txt\n"
    assert "Lantern-2" in Path("ben.v1.txt").read_text()
    assert digest("issue", "preview", "1", "--text").well().out.count("http") > 3
    assert "revision 1" in digest("issue", "approve", "1", "--by", "Ada").well().out
    sent = digest("send", "1", "--json").well().json
    assert (sent["issue"]["state"], sent["deliveries"]["accepted"]) == ("sent", 2)
    assert len(list((drafted / "outbox/new").iterdir())) == 2
    told = digest("issue", "show", "1", "--json").well().json
    assert told["newsletter"] == "weekly"
    assert told["skipped"] == {"no_topics": 1}
    assert "ada@example.org" in digest("why", "ada@example.org", "1").well().out
    assert digest("why", "cy@example.org", "1", "--json").well().json["follows"] == []


def test_a_draft_can_be_cancelled_by_somebody_who_means_it(drafted: Path, digest: Digest) -> None:
    refused = digest("issue", "cancel", "1", answer="n")
    assert (refused.code, "Nothing was changed." in refused.out) == (1, True)
    assert digest("issue", "list", "--json").json[0]["state"] == "draft"
    digest("issue", "cancel", "1", "--yes", "--why", "the wrong week").well()
    assert digest("issue", "show", "1", "--json").json["issue"]["note"].endswith(": the wrong week")


def test_the_stages_can_be_called_one_by_one(drafted: Path, digest: Digest) -> None:
    polled = digest("gather", "weekly", "--json").well().json
    assert [(one["source"], one["new"]) for one in polled] == [("The Meridian Post", 0)]
    assert digest("condense", "weekly", "--again", "--json").well().json["articles"] > 5
    composed = digest("compose", "weekly", "--json").well().json
    assert composed["issue"]["id"] == 1
    assert "digest issue approve 1" in digest("compose", "weekly").well().out


def test_a_feed_and_an_article_can_be_inspected_without_a_database(
    nowhere: Path, digest: Digest, newsroom: object
) -> None:
    Path("page.html").write_text(
        "<html lang=en><head><title>Tides</title></head><body><article><h1>Tides at the quay</h1>"
        + "<p>The tide came in at noon, and the harbour master measured four metres of water.</p>" * 6
        + "</article></body></html>"
    )
    told = digest("inspect", "article", "page.html", "--json").well().json
    assert "harbour master" in told["text"]
    assert {"titles", "dates", "dropped", "signals"} <= told["reading"].keys()
    shown = digest("inspect", "article", "page.html").well().out
    assert "characters" in shown
    assert "title repeated" in shown
    assert "✓" in shown
    assert list(nowhere.iterdir()) == [nowhere / "page.html"]


def test_a_doctor_tells_people_and_programs_and_ends_with_1_when_something_is_bad(
    home: Path, digest: Digest
) -> None:
    assert {check["is_well"] for check in digest("doctor", "--json").well().json} == {True}
    assert "ok    database" in digest("doctor").well().out
    change_settings(home, mail_url="https://mail.example.org", log_level="debug")
    found = digest("doctor", "--json")
    assert found.code == 1
    assert [check["what"] for check in found.json if not check["is_well"]] == ["mail"]
    told = digest("doctor")
    assert told.code == 1
    assert "mail: mail_url: a 'https' address cannot take mail" in told.out


GHOST = """\
email,name,subscribed_to_emails,complimentary_plan,labels
dora@example.org,=Dora,true,,"climate,VIP"
emil@example.org,Emil,true,,VIP
finn@example.org,Finn,false,,
nobody,Nobody,true,,
"""


def test_another_programs_list_is_tried_reported_and_then_imported(weekly: Path, digest: Digest) -> None:
    Path("members.csv").write_text(GHOST)
    call = ("subscriber", "import", "weekly", "members.csv", "--dry-run", "--report", "report.csv")
    tried = digest(*call).well().out
    assert "Would add 2 subscribers, update 0. Nothing was changed." in tried
    assert "1 new subscriber would follow no topic" in tried
    assert "--tag 'VIP=TOPIC' leads one to a topic" in tried
    assert len(digest("subscriber", "list", "weekly", "--json").json) == 3
    report = Path("report.csv").read_text().splitlines()
    assert report[0] == "file,line,email,outcome,why"
    assert "members.csv,2,dora@example.org,added,added" in report
    assert len(report) == 5
    assert Path("report.csv").stat().st_mode & 0o777 == 0o600
    digest(*call).refused(WRONG, "--report: report.csv cannot be written: File exists")
    refused = digest("subscriber", "import", "weekly", "members.csv").refused(WRONG, "members.csv line 5")
    assert "--skip-wrong imports the rest" in refused.err
    done = digest(
        "subscriber", "import", "weekly", "members.csv", "--skip-wrong", "--tag", "vip=space", "--json"
    ).json
    assert (done["added"], done["unsubscribed"], done["wrong"], done["without_topic"]) == (2, 1, 1, 0)
    assert digest("subscriber", "show", "weekly", "emil@example.org", "--json").json["follows"] == ["space"]


def test_a_report_of_an_import_that_failed_is_not_left_behind(weekly: Path, digest: Digest) -> None:
    Path("readers.csv").write_text("email\nnobody\n")
    digest("subscriber", "import", "weekly", "readers.csv", "--report", "r.csv").refused(WRONG, "line 2")
    assert not Path("r.csv").exists()


def test_pairs_that_are_none_are_told(weekly: Path, digest: Digest) -> None:
    Path("readers.csv").write_text("email\nada@example.org\n")
    for option in ("--tag", "--column"):
        digest("subscriber", "import", "weekly", "readers.csv", option, "x").refused(
            WRONG, f"{option}: 'x' is no pair; write it like 'Theirs=ours'"
        )


def test_subscribers_go_out_as_they_come_in(weekly: Path, digest: Digest) -> None:
    shown = digest("subscriber", "export", "weekly").well().out
    assert shown.startswith(
        "email,name,topics,language,timezone,cadence,max_items,send_at,text_only,state,since,paused_until\n"
    )
    told = digest("subscriber", "export", "weekly", "--out", "readers.csv").well().out
    assert told == "readers.csv: 3 subscribers\n"
    assert Path("readers.csv").read_text() == shown
    digest("subscriber", "export", "weekly", "--out", "readers.csv").refused(WRONG, "File exists")
    assert "updated 3" in digest("subscriber", "import", "weekly", "readers.csv").well().out
