"""What is asked for wrongly, or cannot be done: one clear paragraph, the right exit code, nothing lost."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Digest, change_settings, rows_in
from tests.servers.faults import Banner
from tests.servers.processes import free_port
from tests.servers.smtp_sink import SmtpSink

WRONG, FAILED = 2, 1


# Settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mail_ulr = 'x'", ["digest.toml: 'mail_ulr' is not a setting", "'mail_url'"]),
        ("colour = 'blue'", ["digest.toml: 'colour' is not a setting", "docs/settings.md"]),
        ("mail_sessions = 0", ["digest.toml: mail_sessions", "greater than or equal to 1"]),
        ("log_level = 'loud'", ["digest.toml: log_level", "'debug', 'info'", "'loud'"]),
        (
            "database_url = 'x\nmail_url = ''",
            ["digest.toml: Found invalid character", "at line 1", "nothing was started"],
        ),
        ("fetch_allow = 1", ["digest.toml: fetch_allow", "tuple"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(
    nowhere: Path, digest: Digest, text: str, words: list[str]
) -> None:
    Path("digest.toml").write_text(text)
    digest("issue", "list").refused(WRONG, *words)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DIGEST_MAIL_ULR", "x", ["DIGEST_MAIL_ULR is not a setting", "DIGEST_MAIL_URL"]),
        ("DIGEST_MAIL_SESSIONS", "many", ["environment: DIGEST_MAIL_SESSIONS", "integer", "'many'"]),
        ("DIGEST_FETCH_ALLOW", "[127.0.0.1:80", ["environment: DIGEST_FETCH_ALLOW", "commas"]),
        ("DIGEST_CONFIG", "/no/such.toml", ["DIGEST_CONFIG names /no/such.toml", "no file"]),
        ("DIGEST_DATABASE_URL", "mysql://u:hunter2@h/d", ["database_url", "'mysql' is not supported"]),
        ("DIGEST_DATABASE_URL", "u:hunter2@h/d", ["database_url", "sqlite:///FILE"]),
    ],
)
def test_a_wrong_variable_is_named(
    home: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: list[str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert "hunter2" not in digest("issue", "list").refused(WRONG, *words).err


def test_settings_that_are_no_text_are_told(nowhere: Path, digest: Digest) -> None:
    Path("digest.toml").write_bytes(b"ops_email = '\xff'")
    digest("issue", "list").refused(WRONG, "digest.toml: is not UTF-8")


def test_a_folder_in_the_place_of_the_settings_is_told_before_anything_is_done(
    nowhere: Path, digest: Digest
) -> None:
    Path("digest.toml").mkdir()
    for command in (["init"], ["issue", "list"], ["migrate"]):
        assert digest(*command).refused(WRONG, "digest.toml: is a folder, not a file").out == ""
    assert not Path("digest.db").exists()


def test_init_never_overwrites_settings(home: Path, digest: Digest) -> None:
    before = (home / "digest.toml").read_text()
    assert "stays as it is" in digest("init").well().out
    assert (home / "digest.toml").read_text() == before


# Database


def test_a_database_server_that_is_not_there_is_told_without_the_password(home: Path, digest: Digest) -> None:
    port = free_port()
    change_settings(home, database_url=f"postgresql+psycopg://digest:hunter2@127.0.0.1:{port}/digest")
    for command in (["issue", "list"], ["migrate"], ["init"]):
        told = digest(*command).refused(FAILED, f"127.0.0.1:{port}/digest", "Check that the server is up")
        assert "hunter2" not in told.err


def test_a_folder_of_the_database_that_is_missing_is_named(home: Path, digest: Digest) -> None:
    change_settings(home, database_url="sqlite:///data/digest.db")
    for command in (["issue", "list"], ["migrate"]):
        digest(*command).refused(FAILED, f"there is no folder {home / 'data'}", "database_url")


def test_a_file_that_is_no_database_stays_what_it_is(home: Path, digest: Digest) -> None:
    change_settings(home, database_url="sqlite:///notes.txt")
    Path("notes.txt").write_text("Not a database, but somebody's notes.\n" * 99)
    for command in (["issue", "list"], ["migrate"]):
        digest(*command).refused(WRONG, "notes.txt: file is not a database", "database_url")
    assert Path("notes.txt").read_text().startswith("Not a database")


def test_no_database_is_made_by_looking_for_one(home: Path, digest: Digest) -> None:
    Path("digest.db").unlink()
    digest("issue", "list").refused(WRONG, "the database is empty: run 'digest init'")
    assert not Path("digest.db").exists()


def set_schema(version: str) -> None:
    with sqlite3.connect("digest.db") as database:
        database.execute("UPDATE alembic_version SET version_num = ?", [version])
    database.close()


def test_a_database_of_an_older_version_asks_for_its_migration(home: Path, digest: Digest) -> None:
    set_schema("0000")
    digest("issue", "list").refused(WRONG, "schema 0000", "digest migrate")


def test_a_database_of_a_newer_version_is_left_alone(home: Path, digest: Digest) -> None:
    set_schema("9999")
    for command in (["issue", "list"], ["migrate"]):
        digest(*command).refused(WRONG, "schema 9999", "use the version of Digest that made it")


# Names and numbers that are not there


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["newsletter", "show", "weekyl"], ["no newsletter 'weekyl'", "there is: weekly"]),
        (["run", "weekyl"], ["no newsletter 'weekyl'"]),
        (["issue", "list", "weekyl"], ["no newsletter 'weekyl'"]),
        (["topic", "show", "weekly", "sports"], ["no topic 'sports'", "climate, space"]),
        (["topic", "remove", "weekly", "sports"], ["no topic 'sports'"]),
        (["subscriber", "add", "weekly", "eve@example.org", "--topic", "sports"], ["no topic 'sports'"]),
        (["source", "show", "weekly", "Nowhere"], ["no source 'Nowhere'", "digest source add"]),
        (["source", "add", "weekly", "https://example.org/f", "--topic", "sports"], ["no topic 'sports'"]),
        (["subscriber", "show", "weekly", "eve@example.org"], ["'eve@example.org' is not a subscriber"]),
        (["subscriber", "remove", "weekly", "eve@example.org"], ["'eve@example.org' is not a subscriber"]),
        (["issue", "show", "7"], ["no issue 7", "digest issue list"]),
        (["issue", "cancel", "7"], ["no issue 7"]),
        (["issue", "preview", "7"], ["no issue 7"]),
        (["send", "7"], ["no issue 7"]),
        (["why", "ada@example.org", "7"], ["no issue 7"]),
        (["article", "takeaways", "7"], ["no article '7'", "digest article list"]),
        (["article", "takeaways", "9" * 30], ["no article '999", "digest article list"]),
        (
            ["article", "edit", "https://example.org/x", "--takeaway", "x"],
            ["no article 'https://example.org/x'"],
        ),
        (["article", "restore", "tides", "--version", "1"], ["no article 'tides'"]),
        (["schedule", "pause", "7"], ["no schedule 7", "digest schedule list"]),
        (["schedule", "next", "7"], ["no schedule 7"]),
        (["schedule", "remove", "7"], ["no schedule 7"]),
        (["schedule", "run", "7"], ["no held occurrence 7", "digest schedule list"]),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    weekly: Path, digest: Digest, command: list[str], words: list[str]
) -> None:
    digest(*command).refused(WRONG, *words)


# Values


IDENTITY = ["--name", "N", "--from", "a@example.org", "--postal-address", "P"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["newsletter", "add", "Weekly News", *IDENTITY], ["'Weekly News' is not a short name", "hyphens"]),
        (["newsletter", "add", "weekly", *IDENTITY], ["'weekly' exists already"]),
        (["newsletter", "add", "x", *IDENTITY, "--from", "editors"], ["'editors' is not an e-mail address"]),
        (["newsletter", "add", "x", *IDENTITY, "--from", "lektør@example.org"], ["SMTPUTF8", "letters"]),
        (["newsletter", "add", "x", *IDENTITY, "--name", " "], ["--name is empty"]),
        (["newsletter", "add", "x", *IDENTITY, "--name", "x" * 201], ["--name", "201", "200"]),
        (["newsletter", "add", "x", *IDENTITY, "--timezone", "Europe"], ["'Europe' is not a time zone"]),
        (
            ["newsletter", "add", "x", *IDENTITY, "--timezone", "Mars/Base"],
            ["'Mars/Base' is not a time zone"],
        ),
        (["newsletter", "add", "x", *IDENTITY, "--language", "klingon!"], ["not a language tag", "pt-BR"]),
        (["newsletter", "add", "x", *IDENTITY, "--language", "und"], ["'und' names no language", "pt-BR"]),
        (["newsletter", "change", "weekly", "--language", ""], ["'' names no language", "pt-BR"]),
        (["subscriber", "add", "weekly", "eve@"], ["'eve@' is not an e-mail address"]),
        (["subscriber", "add", "weekly", "eve@example.org\nBcc: x@example.org"], ["not an e-mail address"]),
        (["subscriber", "add", "weekly", "eve@example.org", "--timezone", "x"], ["'x' is not a time zone"]),
        (["source", "add", "weekly", "example.org/feed"], ["'example.org/feed' is not an http(s) URL"]),
        (["source", "add", "weekly", "file:///etc/passwd"], ["not an http(s) URL"]),
        (["source", "add", "weekly", "http://e.org/", "--link-pattern", "("], ["'(' is not a regular expr"]),
        (["topic", "add", "weekly", "food"], ["would match nothing", "--phrase"]),
        (["topic", "add", "weekly", "food", "--phrase", " "], ["would match nothing"]),
        (["topic", "add", "weekly", "climate", "--phrase", "x"], ["'climate' exists already"]),
        (["schedule", "add", "weekly", "every monday"], ["'every monday' is not a cron rule", "0 7 * * MON"]),
        (["schedule", "add", "weekly", "0 7 30 2 *"], ["0 7 30 2 *"]),
        (["schedule", "add", "weekly", "0 7 * * 1", "--timezone", "x"], ["'x' is not a time zone"]),
        (["run", "weekly", "--window", "last week"], ["--window 'last week'", "2026-11-16..2026-11-22"]),
        (["run", "weekly", "--window", "2026-11-22..2026-11-16"], ["ends before it begins"]),
        (["run", "weekly", "--window", "9999-12-30..9999-12-31"], ["no calendar reaches that far"]),
        (["issue", "edit", "1"], ["nothing to change", "--subject"]),
        (["newsletter", "change", "weekly"], ["nothing to change", "--takeaways"]),
        (["article", "edit", "1"], ["either by --takeaway, one each, or by --file"]),
        (["article", "edit", "1", "--takeaway", "x", "--file", "y"], ["either by --takeaway"]),
        (["article", "edit", "1", "--file", "no-such-file.txt"], ["no-such-file.txt cannot be read"]),
        (["article", "edit", "1", "--file", "-"], ["holds no takeaway"]),
        (["inspect", "feed", "ftp://example.org/feed"], ["'ftp://example.org/feed' is not an http(s) URL"]),
        (["inspect", "article", "no-such-file.html"], ["'no-such-file.html' cannot be read: No such file"]),
        (["inspect", "article", "."], ["'.' cannot be read: Is a directory"]),
    ],
)
def test_a_value_that_cannot_be_is_told_with_one_that_could(
    weekly: Path, digest: Digest, command: list[str], words: list[str]
) -> None:
    digest(*command).refused(WRONG, *words)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ([], ["Usage: digest", "From sources to readers:"]),
        (["issue"], ["Usage: digest issue", "reconcile"]),
        (["isue", "list"], ["No such command 'isue'. Did you mean 'issue'"]),
        (["issue", "lst"], ["No such command 'lst'. Did you mean 'list'?"]),
        (["run"], ["Missing argument 'NEWSLETTER'", "digest run --help"]),
        (["run", "weekly", "--dryrun"], ["No such option", "--dry-run"]),
        (["issue", "show", "one"], ["'ISSUE'", "integer"]),
        (["issue", "show", "0"], ["'ISSUE'", "count from 1"]),
        (["issue", "show", "99999999999999999999999"], ["'ISSUE'", "cannot be a number of anything"]),
        (["newsletter", "add", "x", *IDENTITY, "--window-days", "0"], ["--window-days", "1"]),
        (["newsletter", "add", "x", *IDENTITY, "--takeaway-words", "7"], ["--takeaway-words", "8"]),
        (["newsletter", "change", "x", "--takeaway-words", "81"], ["--takeaway-words", "80"]),
        (["newsletter", "change", "x", "--takeaway-style", "loud"], ["plain", "neutral", "brief"]),
        (["article", "restore", "7"], ["--version"]),
        (["article", "restore", "7", "--version", "0"], ["--version", "1"]),
        (["up", "--port", "99999"], ["--port", "65535"]),
        (["newsletter", "show", "\udcff"], ["\\xff", "is not UTF-8"]),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(
    home: Path, digest: Digest, command: list[str], words: list[str]
) -> None:
    told = digest(*command)
    assert (told.code, told.out) == (WRONG, "")
    assert "Traceback" not in told.err
    for word in words:
        assert word in told.err


def test_a_question_that_nobody_answers_changes_nothing(weekly: Path, digest: Digest) -> None:
    digest("newsletter", "remove", "weekly").refused(WRONG, "nobody answered", "--yes")
    digest("newsletter", "show", "weekly").well()


# Files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["readers.csv line 1", "'email'"]),
        (b"mail,name\na@example.org,A\n", ["readers.csv line 1", "'mail'", "'email'"]),
        (b"email\na@example.org\nnot-an-address\n", ["readers.csv line 3", "'not-an-address'"]),
        (b"email,topics\na@example.org,sports\n", ["readers.csv line 2", "no topic 'sports'", "climate"]),
        (b"email,name\na@example.org\n", ["readers.csv line 2", "1 field ", "2 columns"]),
        (b'email,name\na@example.org,"A\n', ["readers.csv line 2", "not CSV"]),
        (b"a@example.org;A\n", ["readers.csv line 1", "looks like a subscriber", "'email,name,topics'"]),
        (b"email\nd@example.org\n\xff@example.org\n", ["readers.csv line 3", "not UTF-8"]),
        (b"email,timezone\na@example.org,Mars/Base\n", ["readers.csv line 2", "'Mars/Base'"]),
    ],
)
def test_of_a_wrong_csv_file_nothing_is_imported(
    weekly: Path, digest: Digest, content: bytes, words: list[str]
) -> None:
    Path("readers.csv").write_bytes(content)
    told = digest("subscriber", "import", "weekly", "readers.csv").refused(WRONG, *words)
    assert "othing was" in told.err
    assert len(digest("subscriber", "list", "weekly", "--json").json) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["feeds.opml line 1", "not XML"]),
        ("<opml><body>\n<outline>\n</body></opml>", ["feeds.opml line 3", "not XML"]),
        ("<rss/>", ["feeds.opml line 1", "<rss> is not OPML"]),
        ("<opml><body/></opml>", ["feeds.opml names no feed"]),
        (
            '<opml><body><outline text="a"/>\n<outline text="b" xmlUrl="htp://x"/></body></opml>',
            ["feeds.opml line 2", "'htp://x' is not an http(s) URL"],
        ),
    ],
)
def test_of_a_wrong_opml_file_nothing_is_imported(
    weekly: Path, digest: Digest, content: str, words: list[str]
) -> None:
    Path("feeds.opml").write_text(content)
    told = digest("source", "import", "weekly", "feeds.opml").refused(WRONG, *words)
    assert "nothing was imported" in told.err
    assert digest("source", "list", "weekly", "--json").json == []


@pytest.mark.parametrize("what", ["subscriber", "source"])
def test_a_file_that_is_missing_or_a_folder_is_told(weekly: Path, digest: Digest, what: str) -> None:
    digest(what, "import", "weekly", "none").refused(WRONG, "none cannot be read: No such file")
    digest(what, "import", "weekly", ".").refused(WRONG, ". cannot be read: Is a directory")


def test_a_preview_that_cannot_be_written_is_told(drafted: Path, digest: Digest) -> None:
    digest("issue", "preview", "1", "--out", "no/such/page").refused(WRONG, "no/such/page.html cannot be")


# Sources


def test_a_page_given_as_a_feed_is_told_with_the_feed_it_names(weekly: Path, digest: Digest) -> None:
    Path("page.html").write_text(
        '<html><head><link rel="alternate" type="application/rss+xml" href="https://example.org/feed.xml">'
        "</head><body><p>News</p></body></html>"
    )
    digest("inspect", "feed", "page.html").refused(WRONG, "is not a feed", "https://example.org/feed.xml")


def test_a_feed_given_as_an_article_is_told(weekly: Path, digest: Digest) -> None:
    Path("feed.xml").write_text('<rss version="2.0"><channel><title>T</title></channel></rss>')
    digest("inspect", "article", "feed.xml").refused(WRONG, "not an article", "digest inspect feed")


def test_what_holds_no_article_is_told_and_ends_with_1(nowhere: Path, digest: Digest) -> None:
    files = {
        "zero.html": b"",
        "frame.html": b"<html><head><title>Tides</title></head><body><div id=app></div></body></html>",
        "noise.bin": bytes(range(1, 256)) * 9,
        "scan.pdf": b"%PDF-1.7",
    }
    words = ["it is empty", "holds no text that reads like an article", "it is binary data", "a PDF document"]
    for (name, content), said in zip(files.items(), words, strict=True):
        Path(name).write_bytes(content)
        for flags in [], ["--json"]:
            told = digest("inspect", "article", name, *flags).refused(FAILED, name, said)
            assert told.out == ""


def test_a_page_inside_the_network_is_not_fetched(weekly: Path, digest: Digest) -> None:
    digest("inspect", "article", f"http://127.0.0.1:{free_port()}/").refused(
        FAILED, "may not be fetched", "fetch_allow"
    )


def test_sources_that_cannot_be_read_are_told_with_the_empty_week(weekly: Path, digest: Digest) -> None:
    digest("source", "add", "weekly", f"http://127.0.0.1:{free_port()}/feed", "--name", "Inside").well()
    digest("gather", "weekly").refused(FAILED, "no source could be read", "digest source list weekly")
    for flags, outcome in ([], "nobody was mailed"), (["--dry-run"], "nobody mailed. This is a dry run"):
        digest("run", "weekly", *flags).refused(
            FAILED, "The Weekly has nothing to send", "Inside could not", outcome
        )
    assert digest("issue", "list", "--json").json == []


def test_a_week_without_articles_makes_no_issue(weekly: Path, digest: Digest) -> None:
    for command in (["run", "weekly"], ["compose", "weekly"], ["run", "weekly", "--json"]):
        told = digest(*command).refused(FAILED, "nothing to send", "digest topic list weekly")
        assert ("digest source add weekly URL" in told.err) == (command[0] == "run")
    assert digest("issue", "list", "--json").json == []


# Templates


def test_a_template_with_an_error_is_told_with_file_and_line(drafted: Path, digest: Digest) -> None:
    templates = Path(__file__).parents[2] / "templates"
    folder = drafted / "templates/email/digest"
    shutil.copytree(templates / "email", drafted / "templates/email")
    with (folder / "body.txt").open("a") as body:
        body.write("\n{% block broken %}\n")
    line = len((folder / "body.txt").read_text().splitlines())
    change_settings(drafted, templates_dir=str(drafted / "templates"))
    for command in (
        ["issue", "preview", "1"],
        ["issue", "approve", "1"],
        ["run", "weekly", "--approve", "A"],
    ):
        digest(*command).refused(WRONG, f"body.txt line {line}", "correct the template")
    assert digest("issue", "list", "--json").json[0]["state"] == "draft"


# Mail servers


@pytest.fixture
def approved(drafted: Path, digest: Digest) -> Path:
    digest("issue", "approve", "1").well()
    return drafted


def test_a_mail_server_that_is_away_loses_nothing(approved: Path, digest: Digest) -> None:
    change_settings(approved, mail_url=f"smtp://127.0.0.1:{free_port()}", mail_sessions=1)
    digest("send", "1").refused(FAILED, "takes no mail", "Nothing is lost", "'digest send 1' goes on")
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2
    change_settings(approved, mail_url="maildir:outbox")
    assert "2 accepted" in digest("send", "1").well().out
    assert len(list((approved / "outbox/new").iterdir())) == 2


def test_a_mail_server_that_wants_none_of_our_mail_is_told(
    approved: Path, digest: Digest, smtp_sink: SmtpSink
) -> None:
    smtp_sink.faults.on_connection = lambda _: Banner(554)
    change_settings(approved, mail_url=f"smtp://127.0.0.1:{smtp_sink.port}", mail_sessions=1)
    digest("send", "1").refused(FAILED, f"127.0.0.1:{smtp_sink.port}", "554", "Nothing is lost")
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2


def test_a_mail_server_that_refuses_the_log_in_is_told_without_the_password(
    approved: Path, digest: Digest, log_in_refused: str
) -> None:
    change_settings(approved, mail_url=f"smtp://digest:hunter2@{log_in_refused}", mail_sessions=1)
    told = digest("send", "1").refused(FAILED, f"{log_in_refused} refused the log-in", "Check mail_url")
    assert "hunter2" not in told.err
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2


def test_an_address_that_takes_no_mail_is_told_before_anything_is_addressed(
    approved: Path, digest: Digest
) -> None:
    change_settings(approved, mail_url="https://mail.example.org")
    digest("send", "1").refused(WRONG, "mail_url", "smtp://HOST:PORT")
    assert digest("issue", "list", "--json").json[0]["state"] == "approved"


def test_without_a_secret_key_nothing_is_sent(approved: Path, digest: Digest) -> None:
    change_settings(approved, secret_key="")
    digest("send", "1").refused(WRONG, "secret_key is not set", "digest init")
    assert digest("issue", "list", "--json").json[0]["state"] == "approved"


# Steps that do not follow each other


def test_what_an_issue_cannot_become_is_told(drafted: Path, digest: Digest) -> None:
    digest("send", "1").refused(WRONG, "issue 1 is draft", "approve")
    digest("issue", "pause", "1").refused(WRONG, "issue 1 is draft")
    digest("issue", "resume", "1").refused(WRONG, "issue 1 is draft")
    digest("issue", "approve", "1").well()
    digest("issue", "approve", "1").refused(WRONG, "issue 1 is approved")
    digest("issue", "edit", "1", "--subject", "S").refused(WRONG, "issue 1 is approved", "only a draft")
    digest("send", "1").well()
    digest("send", "1").refused(WRONG, "issue 1 is sent")
    for how in ((), ("--yes",)):
        refused = digest("issue", "cancel", "1", *how, answer="y").refused(WRONG, "issue 1 is sent")
        assert "for good?" not in refused.out + refused.err
    assert len(list((drafted / "outbox/new").iterdir())) == 2


def test_a_newsletter_whose_issue_is_on_its_way_is_not_removed(approved: Path, digest: Digest) -> None:
    remove = ("newsletter", "remove", "weekly", "--yes")
    advice = ("'digest issue cancel 1'", "nothing was removed")
    digest(*remove).refused(WRONG, "issue 1 of The Weekly is approved", *advice)
    change_settings(approved, mail_url=f"smtp://127.0.0.1:{free_port()}", mail_sessions=1)
    digest("send", "1").refused(FAILED, "takes no mail")
    digest(*remove).refused(WRONG, "issue 1 of The Weekly is sending", *advice)
    digest("issue", "pause", "1").well()
    digest(*remove).refused(WRONG, "issue 1 of The Weekly is paused", *advice)
    assert digest("issue", "show", "1", "--json").json["deliveries"]["pending"] == 2
    digest("issue", "cancel", "1", "--yes").well()
    digest(*remove).well()
    assert digest("issue", "list", "--json").json == []


def test_reconciling_where_nothing_is_open_is_told(drafted: Path, digest: Digest) -> None:
    Path("mail.log").write_bytes(b"<a@example.org> \xff accepted\n")
    digest("issue", "reconcile", "1", "--log", "mail.log").refused(WRONG, "no delivery of unknown outcome")
    digest("issue", "reconcile", "1", "--log", "none.log").refused(WRONG, "none.log cannot be read")


def test_a_preview_for_two_readers_at_once_is_refused(drafted: Path, digest: Digest) -> None:
    digest("issue", "preview", "1", "--as", "ada@example.org", "--topic", "space").refused(WRONG, "exclude")
    digest("issue", "preview", "1", "--as", "cy@example.org").refused(WRONG, "gets nothing of issue 1")


def test_a_demo_does_not_empty_a_folder_of_somebody_else(nowhere: Path, digest: Digest) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("keep me")
    digest("demo", "--folder", "mine").refused(WRONG, "mine", "--folder")
    for impossible in ("mine/letter.txt", "mine/letter.txt/demo"):
        told = digest("demo", "--folder", impossible).refused(
            WRONG, impossible, "Not a directory", "--folder"
        )
        assert told.err.count("\n") == 1
    assert Path("mine/letter.txt").read_text() == "keep me"


@pytest.mark.parametrize("by", ["Ada\nX", "Ada\r2026-11-22 07:00  Ben", "Ada\x1b[2J", "A\u202eda", " "])
@pytest.mark.parametrize(
    "command",
    [
        ["issue", "approve", "1"],
        ["issue", "hide", "1"],
        ["issue", "pin", "1", "1"],
        ["issue", "drop", "1", "1"],
        ["article", "topic", "1", "--add", "space"],
        ["article", "edit", "1", "--takeaway", "Ours."],
        ["article", "restore", "1", "--version", "1"],
        ["article", "release", "1"],
    ],
)
def test_a_name_that_would_break_the_history_is_refused_before_anything_is_changed(
    by: str, command: list[str], drafted: Path, digest: Digest
) -> None:
    before = rows_in(drafted)
    digest(*command, "--by", by).refused(WRONG, "--by ")
    assert rows_in(drafted) == before


def test_who_approves_a_run_unseen_is_named_on_one_line_too(drafted: Path, digest: Digest) -> None:
    before = rows_in(drafted)
    digest("run", "weekly", "--approve", "Ada\nX").refused(WRONG, "--approve holds a line break (U+000A)")
    assert rows_in(drafted) == before
