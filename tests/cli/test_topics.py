"""Rules of topics by command: tried, changed, overruled; and what an editor wants in an issue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.conftest import Digest


def articles(digest: Digest) -> dict[str, int]:
    return {one["article"]["title"]: one["id"] for one in digest("article", "list", "weekly", "--json").json}


def items(digest: Digest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = digest("issue", "show", "1", "--json").json["items"]
    return found


def test_a_topic_is_tried_changed_and_shown_by_query(drafted: Path, digest: Digest) -> None:
    stands = digest("topic", "test", "weekly", "climate", "--json").json
    assert (stands["gained"], stands["lost"], stands["into"], stands["out_of"]) == ([], [], [], [])
    assert stands["matched"]
    query = "tram* NOT lorry"
    changes = ("--query", query, "--phrase", "")
    trial = ("topic", "test", "weekly", "climate", *changes)
    told = digest(*trial, "--json").json
    assert told["gained"]
    assert told["lost"]
    assert told["into"]
    assert all(one["reason"] for one in told["matched"])
    said = digest(*trial).well().out
    assert f"+ {len(told['gained'])} gained, − {len(told['lost'])} lost against the rule that stands." in said
    assert f"into the coming issue: {told['into'][0]}" in said
    before = {item["title"] for item in items(digest)}
    digest("topic", "change", "weekly", "climate", *changes).well()
    digest("compose", "weekly").well()
    after = {item["title"] for item in items(digest)}
    assert after - before == set(told["into"])
    assert before - after == set(told["out_of"])
    assert digest("topic", "show", "weekly", "climate", "--json").json["rule"]["phrases"] == []
    assert query in digest("topic", "list", "weekly").well().out
    assert "ada@example.org" in digest("subscriber", "list", "weekly").well().out


def test_a_trial_keeps_what_it_does_not_name_as_a_change_does(drafted: Path, digest: Digest) -> None:
    trial = digest("topic", "test", "weekly", "climate", "--query", "tram*", "--json").json
    assert trial["gained"]
    assert trial["lost"] == []
    digest("topic", "change", "weekly", "climate", "--query", "tram*").well()
    stands = digest("topic", "test", "weekly", "climate", "--json").json
    assert stands["matched"] == trial["matched"]


def test_a_rule_is_tried_and_adopted_for_articles_that_wait_to_be_condensed_anew(
    drafted: Path, digest: Digest
) -> None:
    trial = ("topic", "test", "weekly", "climate", "--query", "tram*", "--json")
    before = digest(*trial).json
    for source in digest("source", "list", "weekly", "--json").json:
        digest("source", "change", "weekly", source["name"], "--weight", "2").well()
    digest("source", "change", "weekly", source["name"], "--topic", "space").well()
    after = digest(*trial).json
    assert after["looked_at"] == before["looked_at"]
    assert after["gained"] == before["gained"]
    digest("topic", "change", "weekly", "climate", "--query", "tram*").well()
    digest("compose", "weekly").well()
    assert set(before["into"]) <= {item["title"] for item in items(digest)}


def test_a_topic_that_is_not_there_yet_can_be_tried(drafted: Path, digest: Digest) -> None:
    assert digest("topic", "test", "weekly", "bread", "--phrase", "bread", "--json").json["gained"]
    digest("topic", "test", "weekly", "bread").refused(2, "no topic 'bread'")
    assert "It matches none of them" in digest("topic", "test", "weekly", "x", "--query", "zyx").well().out


def test_a_query_that_cannot_be_read_is_shown_with_a_caret(drafted: Path, digest: Digest) -> None:
    for command in ("test", "add", "change"):
        refused = digest("topic", command, "weekly", "climate", "--query", "tram OR (bus").refused(
            2, "column 13", "the '(' of column 9 is never closed"
        )
        assert "\n  tram OR (bus\n" in refused.err
        assert "            ^" in refused.err.splitlines()[-1]


def test_topics_within_topics(weekly: Path, digest: Digest) -> None:
    digest("topic", "add", "weekly", "grid", "--parent", "climate", "--query", "grid").well()
    assert digest("topic", "show", "weekly", "grid", "--json").json["parent"] == "climate"
    digest("topic", "change", "weekly", "climate", "--parent", "grid").refused(2, "which is a circle")
    digest("topic", "change", "weekly", "grid", "--parent", "moon").refused(2, "no topic 'moon'")
    digest("topic", "change", "weekly", "grid", "--parent", "climate").refused(2, "nothing to change")
    digest("topic", "change", "weekly", "grid", "--parent", "").well()
    assert digest("topic", "show", "weekly", "grid", "--json").json["parent"] is None
    digest("topic", "change", "weekly", "grid", "--parent", "climate").well()
    digest("topic", "remove", "weekly", "climate").well()
    assert digest("topic", "show", "weekly", "grid", "--json").json["parent"] is None


def test_topics_are_put_in_order_by_their_places(weekly: Path, digest: Digest) -> None:
    def order() -> list[str]:
        return [one["slug"] for one in digest("topic", "list", "weekly", "--json").json]

    first, *others = order()
    last = str(len(others) + 1)
    moved = ", ".join([*others, first])
    assert f"in order: {moved}." in digest("topic", "move", "weekly", first, last).well().out
    assert order() == [*others, first]
    digest("topic", "move", "weekly", first, last).well()
    digest("topic", "move", "weekly", first, "1").well()
    assert order() == [first, *others]
    for nowhere in ("0", str(len(others) + 2)):
        digest("topic", "move", "weekly", first, nowhere).refused(2, f"there is no place {nowhere}", "1 to")
    digest("topic", "move", "weekly", "moon", "1").refused(2, "no topic 'moon'")
    assert order() == [first, *others]


def test_an_editor_decides_an_articles_topics(drafted: Path, digest: Digest) -> None:
    item = next(item for item in items(digest) if "climate" in item["topics"])
    number = str(articles(digest)[item["title"]])
    decided = digest(
        "article", "topic", number, "--add", "space", "--remove", "climate", "--by", "Ada"
    ).well()
    assert "belongs to space." in decided.out
    digest("compose", "weekly").well()
    changed = {one["title"]: one["topics"] for one in items(digest)}
    assert changed[item["title"]] == ["space"]
    told = digest("article", "topic", item["url"], "--undo", "climate", "--json").json
    assert {match["slug"] for match in told} == {"space", "climate"}
    told = digest("article", "takeaways", number, "--history").well().out
    assert "Ada   belongs to space" in told
    assert "climate: taken back" in told
    assert "no, by Ada" in told
    history = digest("article", "takeaways", number, "--history", "--json").json
    assert {(one["topic"], one["word"]) for one in history} == {
        ("space", "yes"),
        ("climate", "no"),
        ("climate", "undo"),
    }
    digest("article", "topic", number).refused(2, "nothing to decide")
    digest("article", "topic", number, "--add", "moon").refused(2, "no topic 'moon'")
    digest("article", "topic", "99999", "--add", "space").refused(2, "no article '99999'")


def test_an_editor_pins_and_drops_and_sees_what_scores_are_made_of(drafted: Path, digest: Digest) -> None:
    numbers = articles(digest)
    first, *_, last = (item["title"] for item in items(digest))
    assert "first in its topic" in digest("issue", "pin", "--help").well().out
    digest("issue", "pin", "1", str(numbers[last]), "--by", "Ada").well()
    assert f"'{first}' is dropped" in digest("issue", "drop", "1", str(numbers[first])).well().out
    digest("compose", "weekly").well()
    titles = [item["title"] for item in items(digest)]
    assert titles[0] == last
    assert first not in titles
    said = digest("issue", "show", "1", "--why").well().out
    assert "+10.00 pinned by Ada" in said
    scores = digest("issue", "show", "1", "--why", "--json").json["scores"]
    assert [one["title"] for one in scores] == titles
    digest("issue", "drop", "1", str(numbers[first]), "--undo").well()
    digest("issue", "drop", "1", str(numbers[first]), "--undo").refused(2, "neither pinned nor dropped")
    assert first in [item["title"] for item in items(digest)]
    other = str(next(id_ for title, id_ in numbers.items() if title not in (first, last)))
    said = digest("issue", "show", "1", "--why").well().out
    assert f"taken back: '{first}'" in said
    decided = digest("issue", "show", "1", "--why", "--json").json["decisions"]
    assert [one["word"] for one in decided] == ["pin", "drop", "undo"]
    assert "No editor decided anything" in digest("article", "takeaways", other, "--history").out
    digest("issue", "approve", "1").well()
    digest("issue", "pin", "1", str(numbers[first])).refused(2, "issue 1 is approved")


def test_what_was_learned_of_topics_is_shown_also_when_it_is_nothing(drafted: Path, digest: Digest) -> None:
    item = next(item for item in items(digest) if "climate" in item["topics"])
    digest("article", "topic", item["url"], "--remove", "climate", "--by", "Ada").well()
    said = digest("topic", "learned", "weekly").well().out
    assert "does not speak yet: 0 of 20 examples" in said
    told = {one["topic"]: one for one in digest("topic", "learned", "weekly", "--json").json}
    assert (told["climate"]["yes"], told["climate"]["no"], told["climate"]["precision"]) == (0, 1, None)
    digest("topic", "learned", "daily").refused(2, "no newsletter 'daily'")


def test_an_editor_shapes_a_draft_and_goes_back_step_by_step(drafted: Path, digest: Digest) -> None:
    numbers = articles(digest)
    first, second, *_ = before = [item["title"] for item in items(digest)]
    one, two = numbers[first], numbers[second]
    said = digest("issue", "place", "1", str(two), "--before", str(one), "--by", "Ada").well().out
    assert f"'{second}' is in its place; issue 1 holds" in said
    digest("issue", "headline", "1", str(one), "Quite", "--by", "Ada").well()
    digest("issue", "edit", "1", "--subject", "The week", "--by", "Ben").well()
    digest("compose", "weekly").well()
    assert [item["title"] for item in items(digest)][:2] == [second, "Quite"]
    history = digest("issue", "history", "1").well().out
    assert history.index("changed the subject") < history.index(f"moved '{second}'")
    digest("issue", "undo", "1", "--by", "Ada").well()
    digest("issue", "undo", "1", "1", "--by", "Cy").well()
    assert [item["title"] for item in items(digest)] == before
    digest("issue", "redo", "1", "--by", "Ada").well()
    assert items(digest)[0]["title"] == "Quite"
    digest("issue", "redo", "1", "--by", "Ada").refused(2, "Ada took nothing back in issue 1")
    log = digest("issue", "history", "1", "--json").json
    assert [(edit["number"], edit["by"], edit["undoes"]) for edit in log] == [
        (1, "Ada", None),
        (2, "Ada", None),
        (3, "Ben", None),
        (4, "Ada", 2),
        (5, "Cy", 1),
        (6, "Ada", 4),
    ]


def test_what_says_nothing_of_a_draft_is_refused_in_words(drafted: Path, digest: Digest) -> None:
    number = str(next(iter(articles(digest).values())))
    digest("issue", "place", "1", number).refused(2, "say where: --before or --after")
    digest("issue", "move", "1", number).refused(2, "say where: --to with a topic")
    digest("issue", "move", "1", number, "--to", "fishing").refused(2, "no topic 'fishing'")
    digest("issue", "lead", "1", number, "--undo").refused(2, f"nothing of article {number} to take back")
    digest("issue", "undo", "1").refused(2, "changed nothing in issue 1")
    digest("issue", "undo", "1", "7").refused(2, "issue 1 has no change 7")
    assert "Nobody has changed anything in issue 1" in digest("issue", "history", "1").well().out


def test_subjects_are_suggested_from_the_headlines(drafted: Path, digest: Digest) -> None:
    suggested = digest("issue", "subjects", "1", "--json").json
    assert suggested == digest("issue", "subjects", "1").well().out.splitlines()
    digest("issue", "edit", "1", "--subject", suggested[0]).well()
    assert suggested[0] not in digest("issue", "subjects", "1", "--json").json
