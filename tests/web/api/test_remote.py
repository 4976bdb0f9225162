"""The command against a server elsewhere: the same words, over the API, with a token."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.cli.main import run
from digest.cli.sign_ups import show_sign_ups
from digest.domain.accounts import Right
from digest.domain.newsletters import NewsletterId
from digest.domain.sign_ups import SignUpOutcome
from digest.pipeline.sign_up_days import sign_ups_of_days
from digest.store.database import writing
from digest.store.sign_ups import tally_sign_ups
from tests.web.api.conftest import token_for
from tests.web.site import Site
from tests.web.world import ADA, DRAFT, SENDING

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(site: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Call the command with a token that may do everything."""
    monkeypatch.setenv("DIGEST_SERVER", site.url)
    monkeypatch.setenv("DIGEST_TOKEN", token_for(site.runtime, frozenset(Right)))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(arguments)
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def test_what_is_there_is_listed_and_shown(call: Call) -> None:
    for words, told in (
        (("newsletter", "list"), "The Saturday Reader"),
        (("topic", "list", "saturday"), "Climate & energy"),
        (("source", "list", "saturday"), "Harbour Post"),
        (("issue", "list"), "draft"),
        (("issue", "list", "saturday", "--limit", "1"), "2026-11-29"),
        (("issue", "show", str(SENDING)), "Seville writes shade"),
        (("issue", "progress", str(SENDING)), "2 mails, 2 pending"),
        (("subscriber", "list", "saturday"), ADA),
        (("subscriber", "show", "saturday", ADA.upper()), "climate, food"),
        (("suppression", "list"), "complaint"),
        (("why", ADA, str(SENDING)), "follows Climate & energy"),
        (("sign-ups", "saturday"), "The Saturday Reader: /subscribe/saturday takes sign-ups."),
    ):
        code, out, err = call(*words)
        assert (code, err) == (0, ""), words
        assert told in out, words
    (one,) = json.loads(call("issue", "list", "--limit", "1", "--json")[1])
    assert one["id"] == DRAFT


def test_what_is_done_is_done_there(call: Call) -> None:
    for words, told in (
        (("issue", "pause", str(SENDING), "--why", "wrong date"), "is paused now"),
        (("issue", "resume", str(SENDING)), "is sending now"),
        (("issue", "cancel", str(SENDING), "--yes"), "2 mails will not be sent"),
        (("issue", "approve", str(DRAFT), "--despite-errors"), "is approved now"),
        (("subscriber", "add", "saturday", "gus@example.org", "--topic", "space"), "follows space"),
        (("subscriber", "unsubscribe", "saturday", "gus@example.org"), "no more"),
        (("subscriber", "data", "gus@example.org"), '"address": "gus@example.org"'),
        (("subscriber", "erase", "gus@example.org", "--yes"), "Erased: 1 subscription"),
        (("suppression", "add", "gus+1@example.org", "--why", "asked"), "never mailed again"),
        (("suppression", "remove", "gus+1@example.org", "--why", "wrote"), "may be mailed again"),
        (("pause", "--why", "the server moves"), "Nothing is sent now"),
        (("resume",), "held by tests (API): the server moves"),
    ):
        code, out, err = call(*words)
        assert (code, err) == (0, ""), words
        assert told in out, words


def test_sign_ups_are_told_as_on_the_server(
    call: Call, site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    asked, put_off = SignUpOutcome.ASKED, SignUpOutcome.PER_NEWSLETTER
    counts = {(NewsletterId(1), asked): 1_200, (NewsletterId(1), put_off): 3}
    with writing(site.runtime.engine) as session:
        tally_sign_ups(session, counts, now=site.runtime.clock())
    for words in (("sign-ups",), ("sign-ups", "saturday", "--json")):
        code, there, err = call(*words)
        assert (code, err) == (0, "")
        show_sign_ups(sign_ups_of_days(site.runtime), as_json=words[-1] == "--json")
        assert there == capfd.readouterr().out, words
    assert "1,200" in call("sign-ups")[1]
    assert call("sign-ups", "monthly")[0] == 2


def test_what_is_wrong_is_told_in_the_servers_words(call: Call, site: Site) -> None:
    code, _, err = call("issue", "show", "999")
    assert code == 2
    assert "no issue 999" in err
    code, _, err = call("issue", "resume", str(SENDING))
    assert code == 2
    assert "not paused" in err
    assert site.url.partition("//")[2] in err


def test_endpoints_and_tokens_are_kept_there(call: Call) -> None:
    url = "https://hooks.example.org/digest"
    for words, told in (
        (("endpoint", "list"), "No program is told"),
        (("endpoint", "add", url, "--event", "issue.sent", "--about", "chat"), "whsec_"),
        (("endpoint", "test", "1"), "waits for a worker"),
        (("endpoint", "log", "1"), "endpoint.tested"),
        (("endpoint", "pause", "1"), "told nothing"),
        (("endpoint", "again", "1", "1"), "Call 1 waits"),
        (("endpoint", "resume", "1"), "told again"),
        (("endpoint", "rotate", "1"), "whsec_"),
        (("endpoint", "list"), "chat"),
        (("endpoint", "remove", "1", "--yes"), url),
        (("token", "add", "dashboard", "--right", "look"), "dg_"),
        (("token", "list"), "dashboard"),
        (("token", "remove", "2"), "opens nothing"),
    ):
        code, out, err = call(*words)
        assert (code, err) == (0, ""), words
        assert told in out, words


def test_schedules_are_kept_there(call: Call) -> None:
    for words, told in (
        (("schedule", "list"), "No schedule yet"),
        (("schedule", "add", "saturday", "0 7 * * mon", "--timezone", "Europe/Paris"), "next due 2026-11-30"),
        (("schedule", "list"), "0 7 * * mon"),
        (("schedule", "next", "1", "--count", "2"), "2026-12-07"),
        (("schedule", "skip-next", "1"), "2026-11-30 is left out"),
        (("schedule", "runs", "--state", "skipped"), "2026-11-30"),
        (("schedule", "unskip", "1"), "is due again"),
        (("schedule", "pause", "1"), "is paused"),
        (("schedule", "resume", "1"), "runs again"),
        (("schedule", "start", "1"), "is on its way"),
        (("schedule", "stages", "1"), "No stage of run"),
        (("schedule", "remove", "1", "--yes"), "Removed"),
    ):
        code, out, err = call(*words)
        assert (code, err) == (0, ""), words
        assert told in out, (words, out)
    code, _, err = call("schedule", "retry", "999", "--from", "gather")
    assert (code, "run 999" in err) == (2, True), err


def test_options_say_which_server_and_whose_token(
    call: Call, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{os.environ['DIGEST_TOKEN']}\nnot this\n")
    monkeypatch.delenv("DIGEST_SERVER")
    monkeypatch.delenv("DIGEST_TOKEN")
    where = ("--server", site.url, f"--token-file={file}")
    assert "The Saturday Reader" in call(*where, "newsletter", "list")[1]
    for words, told in (
        ((*where, "up"), f"works on the server only: run it there. --server says {site.url} here"),
        (("--server", site.url, "newsletter", "list"), "--token-file FILE"),
        (("--server", "digest.example.org", "newsletter", "list"), "--server: 'digest.example.org' is no"),
        (("--server",), "--server is empty"),
        (("--server=", "newsletter", "list"), "--server is empty"),
        (("--token-file", str(file), "newsletter", "list"), "say which with --server URL"),
        (("--server", site.url, "--token-file", "no-such", "issue", "list"), "no-such cannot be read"),
    ):
        code, out, err = call(*words)
        assert (code, out) == (2, ""), words
        assert told in err, err
    file.write_text("\n")
    assert "is empty" in call(*where, "newsletter", "list")[2]
    file.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in call(*where, "newsletter", "list")[2]


def test_an_option_goes_before_the_environment(
    call: Call, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SERVER", "http://127.0.0.1:1")
    assert "The Saturday Reader" in call("--server", site.url, "newsletter", "list")[1]
    assert "does not answer" in call("newsletter", "list")[2]


@pytest.mark.parametrize(
    "words", [("up",), ("init",), ("account", "list"), ("issue", "preview", "1"), ("send", "1")]
)
def test_what_works_on_the_server_only_says_so(words: tuple[str, ...], call: Call) -> None:
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert "works on the server only" in err


def test_help_and_slips_are_answered_as_ever(call: Call) -> None:
    assert "suppression" in call("--help")[1]
    assert call("isue", "list")[0] == 2
    assert call("issue", "--help")[0] == 0


@pytest.mark.parametrize(
    ("server", "token", "told"),
    [
        ("http://127.0.0.1:1", "dg_x", "does not answer"),
        ("http://digest.example.org", "dg_x", "in the open"),
        ("digest.example.org", "dg_x", "no address"),
        ("http://127.0.0.1:1", "", "DIGEST_TOKEN is not set"),
    ],
)
def test_a_server_that_cannot_be_asked_is_told(
    server: str, token: str, told: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SERVER", server)
    monkeypatch.setenv("DIGEST_TOKEN", token)
    code, _, err = call("issue", "list")
    assert code in (1, 2)
    assert told in err
    assert "Traceback" not in err


def test_a_server_that_is_something_else_is_told(
    call: Call, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SERVER", f"{site.url}/archive")
    assert "not as the API of Digest does" in call("issue", "list")[2]


def test_a_token_that_is_none_of_theirs_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_TOKEN", "dg_forged")
    assert "not one of ours" in call("issue", "list")[2]
