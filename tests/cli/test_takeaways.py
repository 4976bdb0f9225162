"""Takeaways as editors see and change them, and how a newsletter wants them."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from digest.store.articles import ArticleId, ArticleRow
from digest.store.condensings import current_versions
from digest.store.database import open_engine, reading
from digest.store.spending import LlmCallRow
from tests.cli.conftest import COMMAND, Digest, change_settings
from tests.cli.test_journeys import environment
from tests.servers.model_server import ModelServer, honest, silent, status
from tests.waiting import wait_until


def chosen(digest: Digest) -> dict[str, Any]:
    """Return the first article of issue 1 that has several takeaways, as `article takeaways` tells of it."""
    for item in digest("issue", "show", "1", "--json").well().json["items"]:
        if len(item["takeaways"]) > 1:
            found: dict[str, Any] = digest("article", "takeaways", item["url"], "--json").well().json
            return found
    raise AssertionError("no article of the issue has two takeaways")


def preview(digest: Digest) -> str:
    return " ".join(digest("issue", "preview", "1", "--text").well().out.split())


def test_an_editor_sees_what_takeaways_rest_on_changes_them_and_goes_back(
    drafted: Path, digest: Digest
) -> None:
    found = chosen(digest)
    number, url = str(found["article"]["id"]), found["article"]["url"]
    first, second = (one["text"] for one in found["condensed"]["takeaways"][:2])
    assert all(quote for quotes in found["quotes"] for quote in quotes)
    shown = digest("article", "takeaways", number).well().out
    for words in (url, first, "Version 1 holds: made by the program", "the article"):
        assert words in shown
    assert number in digest("article", "list", "weekly").well().out

    said = (
        digest("article", "edit", url, "--takeaway", second, "--takeaway", "Ours.", "--by", "Ada").well().out
    )
    assert "version 2, by Ada" in said
    assert "Ours." in preview(digest)
    shown = digest("article", "takeaways", number).well().out
    assert "Version 2 holds: made by Ada, from version 1" in shown
    told = digest("article", "takeaways", number, "--json").json
    origins = [one["origin"] for one in told["condensed"]["takeaways"]]
    assert origins == [found["condensed"]["takeaways"][1]["origin"], "editor"]
    assert told["quotes"][0] == found["quotes"][1]

    Path("mine.txt").write_text(f"{first}\n\nFrom a file.\n")
    digest("article", "edit", number, "--file", "mine.txt", "--by", "Ben").refused(2, "--from-version 2")
    change = ("article", "edit", number, "--file", "mine.txt", "--by", "Ben", "--from-version")
    digest(*change, "1").refused(2, "version 2, by Ada, came in between")
    assert digest(*change, "2", "--json").well().json["version"] == 3
    assert "From a file." in preview(digest)
    digest("article", "edit", number, "--file", "-", "--by", "Ben", answer="From a pipe.").well()
    assert "From a pipe." in preview(digest)

    going_back = ("article", "restore", number, "--version", "1", "--by", "Ada")
    digest(*going_back).refused(2, "version 4 is Ben's", "--from-version 4")
    digest(*going_back, "--from-version", "4").well()
    told = digest("article", "takeaways", number, "--json").json
    assert told["condensed"]["takeaways"] == found["condensed"]["takeaways"]
    assert [one["version"] for one in told["versions"]] == [1, 2, 3, 4, 5]
    shown = digest("article", "takeaways", number, "--version", "3").well().out
    assert "Version 3 does not hold: made by Ben" in shown
    assert "From a file." in shown
    digest("article", "takeaways", number, "--version", "9").refused(2, "there is: 1, 2, 3, 4, 5")
    digest("article", "edit", number, "--file", "-", answer="wrong byte: \udcff").refused(2, "not UTF-8")


def test_an_editor_goes_back_once_and_hands_the_article_back(drafted: Path, digest: Digest) -> None:
    number = str(chosen(digest)["article"]["id"])
    shown = ("article", "takeaways", number)
    assert "They are the program's: condensing again may renew them." in digest(*shown).well().out
    digest("article", "edit", number, "--takeaway", "Ours.", "--by", "Ada").well()
    assert f"They are Ada's: condensing again leaves them as they are; 'digest article release {number}'" in (
        digest(*shown).well().out
    )
    going_back = ("article", "restore", number, "--version", "1", "--by", "Ada")
    assert "has the takeaways of version 1 again, as version 3." in digest(*going_back).well().out
    said = digest(*going_back).well().out
    assert "has the takeaways of version 1 already, as version 3; nothing was changed." in said
    assert len(digest(*shown, "--json").json["versions"]) == 3

    release = ("article", "release", number)
    digest(*release, "--by", "Ben").refused(2, "version 3 is Ada's", "--from-version 3")
    digest(*release, "--by", "Ben", "--from-version", "1").refused(2, "version 3 holds, not 1")
    digest(*release, "--by", " ").refused(2, "--by is empty")
    digest("article", "release", "99999").refused(2, "no article '99999'")
    assert digest(*release, "--by", "Ada", "--json").well().json["version"] == 1
    assert "is the program's already, with version 1; nothing was changed." in digest(*release).well().out
    told = digest(*shown).well().out
    assert "handed back by Ada on " in told
    assert "They are the program's" in told
    digest("newsletter", "change", "weekly", "--takeaways", "1").well()
    assert "1 article condensed" in digest("condense", "weekly").well().out
    assert len(digest(*shown, "--json").json["condensed"]["takeaways"]) == 1


def test_what_an_approval_froze_no_edit_changes(drafted: Path, digest: Digest) -> None:
    number = str(chosen(digest)["article"]["id"])
    digest("issue", "approve", "1", "--by", "Ada").well()
    before = digest("issue", "preview", "1").well().out
    digest("article", "edit", number, "--takeaway", "Too late.", "--by", "Ada").well()
    assert digest("issue", "preview", "1").well().out == before


def test_condensing_again_as_a_newsletter_wants_it_leaves_what_was_edited(
    drafted: Path, digest: Digest
) -> None:
    number = str(chosen(digest)["article"]["id"])
    digest("article", "edit", number, "--takeaway", "Ours.", "--by", "Ada").well()
    said = digest("newsletter", "change", "weekly", "--takeaways", "1", "--takeaway-words", "20").well().out
    assert "digest condense weekly --again" in said
    said = digest("newsletter", "change", "weekly", "--takeaway-style", "brief", "--llm").well().out
    assert "No language model is set yet (llm_provider)" in said
    shown = digest("newsletter", "show", "weekly").well().out
    assert "1 of each article at most, 20 words each, brief; written by a language model" in shown
    assert "1 × 20 words, brief, llm" in digest("newsletter", "list").well().out
    told = digest("newsletter", "show", "weekly", "--json").json
    settings = ("takeaways", "takeaway_words", "takeaway_style", "llm")
    assert [told[name] for name in settings] == [1, 20, "brief", True]

    said = digest("condense", "weekly", "--again").well().out
    assert "no language model is set (llm_provider)" in said
    assert "edited, and left as they are: 1 article" in said
    assert f"('digest article takeaways {number}')" in said
    assert "Ours." in preview(digest)
    assert "Look again: condensing again gave other takeaways" in digest("article", "takeaways", number).out
    assert "condensing again gave other takeaways" in digest("article", "list", "weekly").out
    assert f"Look again at article {number}: " in digest("issue", "show", "1").well().out
    assert list(digest("issue", "show", "1", "--json").json["outdated"]) == [number]


@pytest.fixture
def asking(drafted: Path, digest: Digest) -> Path:
    digest("newsletter", "change", "weekly", "--llm").well()
    return drafted


def with_model(folder: Path, server: ModelServer) -> None:
    change_settings(
        folder,
        llm_provider="openai",
        llm_model="model-7",
        llm_url=f"{server.url}/v1",
        llm_api_key="key-of-the-tests",
        llm_input_price=3,
        llm_output_price=15,
        llm_concurrency=2,
    )


def test_what_a_model_wrote_is_shown_with_its_name_and_its_price(asking: Path, digest: Digest) -> None:
    with ModelServer() as server:
        with_model(asking, server)
        said = digest("condense", "weekly", "--again").well().out
        assert " llm" in said
        assert "the language model: " in said
        assert "US$ 0." in said
        written = [
            one
            for one in digest("article", "list", "weekly", "--json").json
            if "by model-7 (prompt " in digest("article", "takeaways", str(one["id"])).out
        ]
        assert written
        assert "US$ 0." in digest("article", "takeaways", str(written[0]["id"])).out
        server.will(status(401))
        digest("newsletter", "change", "weekly", "--takeaway-words", "34").well()
        said = digest("condense", "weekly", "--again").well().out
        assert "without the language model: " in said
        assert "llm_api_key" in said
        assert "'digest condense weekly --again' asks it again" in said


def test_a_kill_loses_the_articles_under_way_and_no_others(asking: Path, digest: Digest) -> None:
    with ModelServer() as server:
        with_model(asking, server)
        server.will(*[honest] * 4, silent(60))
        command = [COMMAND, "condense", "weekly", "--again"]
        with subprocess.Popen(command, cwd=asking, env=environment(), stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: len(server.calls) >= 6)
            process.send_signal(signal.SIGKILL)
        answered = {tuple(call.sentences) for call in server.calls[:4]}
        assert len(written_by_model(asking)) == 4
        # Of the two under way nobody knows what they cost: they count at their most.
        assert unknown_costs(asking) == 2
        server.will(honest)
        before = len(server.calls)
        digest("condense", "weekly").well()
        again = {tuple(call.sentences) for call in server.calls[before:]}
        assert len(again) >= 2
        assert answered.isdisjoint(again)
        assert len(written_by_model(asking)) == 4 + len(again)


def unknown_costs(folder: Path) -> int:
    """Return how many calls nobody knows the cost of, none of which counts as free."""
    engine = open_engine(f"sqlite:///{folder / 'digest.db'}")
    try:
        with reading(engine) as session:
            costs = session.scalars(select(LlmCallRow.cost).where(~LlmCallRow.is_known)).all()
    finally:
        engine.dispose()
    assert all(cost > 22_500 for cost in costs)
    return len(costs)


def written_by_model(folder: Path) -> list[ArticleId]:
    """Return the articles whose takeaways a model wrote, as the database has them."""
    engine = open_engine(f"sqlite:///{folder / 'digest.db'}")
    try:
        with reading(engine) as session:
            ids = [ArticleId(id_) for id_ in session.scalars(select(ArticleRow.id))]
            held = current_versions(session, ids)
    finally:
        engine.dispose()
    return [id_ for id_, one in held.items() if any(each.model for each in one.condensed.takeaways)]
