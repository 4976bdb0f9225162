"""Segments by command: saved, asked, listed and taken out as CSV; attributes come with lists and by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import WRONG, Digest


def test_a_segment_is_saved_asked_changed_and_removed(weekly: Path, digest: Digest) -> None:
    assert "No segment yet: add one" in digest("segment", "list", "weekly").well().out
    said = digest("segment", "add", "weekly", "moonstruck", "--query", "topic:space NOT topic:climate")
    assert said.well().out == "Added segment moonstruck: it fits 1 reader, 1 of them active.\n"
    listed = digest("subscriber", "list", "weekly", "--segment", "moonstruck", "--json").json
    assert [one["subscriber"]["email"] for one in listed] == ["ben@example.org"]
    out = digest("subscriber", "export", "weekly", "--segment", "moonstruck").well().out
    assert [line.partition(",")[0] for line in out.splitlines()] == ["email", "ben@example.org"]
    changed = digest("segment", "change", "weekly", "moonstruck", "--query", "NOT topic:*").well().out
    assert "it fits 1 reader" in changed
    shown = digest("segment", "show", "weekly", "moonstruck", "--json").json
    assert (shown["readers"], shown["active"], shown["name"]) == (1, 1, "Moonstruck")
    assert "cy@example.org" in digest("subscriber", "list", "weekly", "--segment", "moonstruck").well().out
    assert "NOT topic:*" in digest("segment", "list", "weekly").well().out
    digest("segment", "remove", "weekly", "moonstruck").well()
    digest("segment", "show", "weekly", "moonstruck").refused(WRONG, "no segment 'moonstruck'")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "weekly", "x", "--query", "langage:de"), ["no field 'langage:'", "^"]),
        (("add", "weekly", "x", "--query", "topic:sport"), ["no topic 'sport'; there is: climate, space"]),
        (("add", "weekly", "Two Words", "--query", "days:1"), ["'Two Words' is not a short name"]),
        (("add", "weekly", "new", "--query", "days:1"), ["there is a segment 'new' already"]),
        (("change", "weekly", "new"), ["there is nothing to change"]),
        (("change", "weekly", "old", "--name", "x"), ["no segment 'old'; there is: new"]),
        (("remove", "weekly", "old"), ["no segment 'old'"]),
        (("list", "daily"), ["'daily'"]),
    ],
)
def test_what_is_wrong_with_a_segment_is_told(
    weekly: Path, digest: Digest, arguments: tuple[str, ...], words: list[str]
) -> None:
    digest("segment", "add", "weekly", "new", "--query", "days:<9").well()
    digest("segment", *arguments).refused(WRONG, *words)


def test_a_list_of_a_segment_that_is_not_there_is_refused(weekly: Path, digest: Digest) -> None:
    digest("subscriber", "list", "weekly", "--segment", "old").refused(WRONG, "no segment 'old'")
    digest("subscriber", "export", "weekly", "--segment", "old").refused(WRONG, "no segment 'old'")


def test_attributes_are_given_shown_and_asked_for(weekly: Path, digest: Digest) -> None:
    add = ("subscriber", "add", "weekly", "ada@example.org")
    digest(*add, "--attribute", "City=Berlin", "--attribute", "site=https://example.org/?a=b").well()
    shown = digest("subscriber", "show", "weekly", "ada@example.org").well().out
    assert "city: Berlin, site: https://example.org/?a=b" in shown
    digest("segment", "add", "weekly", "berlin", "--query", "attribute.city:berlin").well()
    assert "ada@" in digest("subscriber", "list", "weekly", "--segment", "berlin").well().out
    digest(*add, "--attribute", "city=").well()
    assert "fits nobody" in digest("subscriber", "list", "weekly", "--segment", "berlin").well().out
    digest(*add, "--attribute", "city").refused(WRONG, "'city' is no pair; write it like 'KEY=VALUE'")
    digest(*add, "--attribute", "my city=x").refused(WRONG, "'my city' is no key of an attribute")
    digest(*add, "--attribute", f"city={'x' * 201}").refused(WRONG, "201 characters long")


def test_an_issue_is_for_a_segment_by_command(drafted: Path, digest: Digest) -> None:
    digest("segment", "add", "weekly", "moonstruck", "--query", "topic:space NOT topic:climate").well()
    digest("issue", "edit", "1", "--only", "moonstruck", "--by", "Ada").well()
    assert "It is for readers of the segment ‘Moonstruck’ alone." in digest("issue", "show", "1").well().out
    assert digest("issue", "show", "1", "--json").json["only"] == "moonstruck"
    assert "made it for the segment moonstruck alone" in digest("issue", "history", "1").well().out
    digest("issue", "edit", "1", "--only", "sun").refused(WRONG, "no segment 'sun'; there is: moonstruck")
    digest("segment", "remove", "weekly", "moonstruck").refused(WRONG, "issue 1 names the segment")
    digest("issue", "approve", "1", "--by", "Ada", "--despite-errors").well()
    assert "not among the readers that the issue is for" in digest("why", "ada@example.org", "1").well().out
    digest("send", "1").well()
    shown = digest("issue", "show", "1").well().out
    assert "skipped: not among the readers that the issue is for" in shown
    assert "not among the readers" in digest("why", "ada@example.org", "1").well().out


def test_a_test_goes_to_a_segment_of_ten_at_most(drafted: Path, digest: Digest) -> None:
    digest("segment", "add", "weekly", "editors", "--query", "topic:space").well()
    assert "went to 2 addresses as a test" in digest("issue", "test", "1", "--segment", "editors").well().out
    digest("issue", "test", "1").refused(WRONG, "say where it goes: to addresses, or to a segment")
    digest("issue", "test", "1", "x@example.org", "--segment", "editors").refused(WRONG, "say where it goes")
    digest("issue", "test", "1", "--segment", "gone").refused(WRONG, "no segment 'gone'")
    for number in range(9):
        digest("subscriber", "add", "weekly", f"e{number}@example.org", "--topic", "space").well()
    digest("issue", "test", "1", "--segment", "editors").refused(WRONG, "more than 10 active readers")
    digest("segment", "change", "weekly", "editors", "--query", "language:fi").well()
    digest("issue", "test", "1", "--segment", "editors").refused(WRONG, "fits no active reader")


def test_a_segment_of_who_reads_is_counted_in_twenties_and_names_nobody(weekly: Path, digest: Digest) -> None:
    said = digest("segment", "add", "weekly", "asleep", "--query", "NOT opened:<30").well().out
    assert said == "Added segment asleep: it fits fewer than 20 readers.\n"
    assert "fewer than 20" in digest("segment", "list", "weekly").well().out
    shown = digest("segment", "show", "weekly", "asleep").well().out
    assert "It asks who reads, so it names nobody: 'digest issue edit ISSUE --without asleep' leaves" in shown
    (listed,) = digest("segment", "list", "weekly", "--json").json
    shown_so = digest("segment", "show", "weekly", "asleep", "--json").json
    assert (listed["is_coarse"], shown_so["is_coarse"], shown_so["readers"]) == (True, True, 0)
    digest("segment", "add", "weekly", "awake", "--query", "opened:<30").well()
    assert "no issue can leave out who reads" in digest("segment", "show", "weekly", "awake").well().out
    known = digest("segment", "add", "weekly", "known", "--query", "opened:<30 domain:example.org")
    known.refused(WRONG, "a question of who reads asks nothing else")
    for command in ("list", "export"):
        refused = digest("subscriber", command, "weekly", "--segment", "asleep")
        refused.refused(WRONG, "the segment 'asleep' asks who reads, so it names nobody")
