import json
from dataclasses import replace

from digest.domain.issues import Edition
from digest.domain.layout import Density
from digest.domain.mail import (
    PREHEADER_MAX,
    SECTION_COUNT,
    Fragment,
    RenderedIssue,
    Token,
    assemble,
    layout_of,
    preheader_for,
)
from digest.domain.topics import TopicSlug

A, B = TopicSlug("a"), TopicSlug("b")


def of_weight(weight: int, word: str) -> Fragment:
    return Fragment(word.ljust(weight - 1) + "\n", f"{word}\n")


def issue_of(*topics: TopicSlug, full: int = 2000) -> RenderedIssue:
    """Return an issue whose item *i* stands under the topic *i*, and takes `full` bytes in full."""
    keys = [f"{position}:{topic}" for position, topic in enumerate(topics)]
    return RenderedIssue(
        newsletter="N",
        language="en",
        subject="",
        preheader="",
        opening=of_weight(100, "opening"),
        sections={topic: of_weight(10, f"section {topic}") for topic in topics},
        items={key: of_weight(full, f"full {key}") for key in keys},
        closing=of_weight(100, "closing"),
        titles=tuple(f"Title {key}" for key in keys),
        compact={key: of_weight(full // 2, f"compact {key}") for key in keys},
        headlines={key: of_weight(full // 4, f"headline {key}") for key in keys},
        contents=of_weight(10, "contents"),
        entries={
            topic: Fragment(f"{topic} {SECTION_COUNT}\n", f"{topic} {SECTION_COUNT}\n") for topic in topics
        },
        more=of_weight(10, "more"),
        summaries=tuple(f"Summary {key}" for key in keys),
    )


def edition_of(*topics: TopicSlug) -> Edition:
    names = sorted(set(topics))
    return Edition.from_key(
        ";".join(f"{name}:{','.join(str(n) for n, t in enumerate(topics) if t == name)}" for name in names)
    )


def shown(issue: RenderedIssue, edition: Edition, room: int | None) -> list[str]:
    return [piece.text.strip() for piece in assemble(issue, edition, room=room).pieces]


def test_an_edition_of_two_topics_or_more_begins_with_its_contents() -> None:
    topics = (A, B, A, A, B)
    assert shown(issue_of(*topics), edition_of(*topics), None)[:4] == ["opening", "contents", "a 3", "b 2"]
    assert shown(issue_of(A, B), edition_of(A, B), None)[:4] == ["opening", "contents", "a 1", "b 1"]
    assert shown(issue_of(*(A,) * 6), edition_of(*(A,) * 6), None)[1] == "section a"


def test_what_is_left_out_is_counted_and_leaves_no_heading_behind() -> None:
    issue, edition = issue_of(A, A, B), edition_of(A, A, B)
    assembly = assemble(issue, edition, room=1300)
    assert [piece.text.strip() for piece in assembly.pieces] == [
        "opening",
        "contents",
        "a 2",
        "b 1",
        "section a",
        "headline 0:a",
        "headline 1:a",
        "more",
        "closing",
    ]
    assert (assembly.values[Token.MORE_COUNT], assembly.values[Token.ITEM_COUNT]) == ("1", "3")


def test_pieces_say_in_words_how_many_articles_an_edition_has() -> None:
    issue = replace(issue_of(A, A, B), counts=("one", "a pair", "three"))
    assert assemble(issue, edition_of(A, A)).values[Token.ARTICLES] == "a pair"
    assert assemble(issue_of(A, A, B), edition_of(A, A)).values[Token.ARTICLES] == "2"


def test_a_mail_is_laid_out_by_bytes_not_characters() -> None:
    assert Fragment("é\n", "é\n").weight == 3


def test_the_layout_ranks_articles_by_the_issue_not_by_where_they_stand() -> None:
    issue, edition = issue_of(B, A), edition_of(B, A)
    assert edition.positions == (1, 0)
    assert layout_of(issue, edition, room=3500) == {0: Density.FULL, 1: Density.COMPACT}


def test_pieces_that_were_approved_before_there_were_layouts_are_sent_as_they_were() -> None:
    topics = (A,) * 80
    old = json.loads(issue_of(*topics).to_json())
    for name in ("compact", "headlines", "contents", "entries", "more", "summaries"):
        del old[name]
    issue = RenderedIssue.from_json(json.dumps(old))
    assert shown(issue, edition_of(*topics), 1000) == [
        "opening",
        "section a",
        *(f"full {position}:a" for position in range(80)),
        "closing",
    ]


def test_a_topic_may_be_called_like_a_part_of_a_piece() -> None:
    issue = issue_of(TopicSlug("html"), TopicSlug("text"))
    assert RenderedIssue.from_json(issue.to_json()) == issue


def test_a_preheader_names_the_other_articles_and_goes_on_where_they_say_too_little() -> None:
    long = "A title that is long enough to stand in an inbox by itself"
    assert preheader_for(["First", long], "What the first comes to") == long
    assert preheader_for(["First", "Second"], "What the first comes to") == "Second · What the first comes to"
    assert preheader_for(["First"], "What the first comes to") == "What the first comes to"
    assert preheader_for(["First"]) == "First"
    assert len(preheader_for(["First", *[long] * 9])) <= PREHEADER_MAX


def test_what_is_over_a_readers_most_is_online_only_whatever_room_there_is() -> None:
    issue = issue_of(B, A, B, A)
    whole = edition_of(B, A, B, A)
    edition = replace(whole, most=2)
    assert shown(issue, edition, 100_000) == [
        "opening",
        "contents",
        "a 2",
        "b 2",
        "section a",
        "full 1:a",
        "section b",
        "full 0:b",
        "more",
        "closing",
    ]
    mail = assemble(issue, replace(whole, most=1))
    assert (mail.values[Token.MORE_COUNT], mail.values[Token.ITEM_COUNT]) == ("3", "4")
    assert mail.subject == "N: Title 0:b"
    assert shown(issue, edition, None) == shown(issue, whole, None)


def test_a_most_counts_too_where_every_article_has_room() -> None:
    issue = replace(issue_of(A, A, A), compact={}, headlines={})
    assert layout_of(issue, replace(edition_of(A, A, A), most=1)) == {0: Density.FULL, 1: None, 2: None}
