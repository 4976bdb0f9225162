import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.issues import Edition, Outline, Section, edition_for
from digest.domain.topics import TopicSlug

SLUGS = tuple(map(TopicSlug, ("climate", "space", "cities", "food", "a-b-2")))

topics = st.lists(st.sampled_from(SLUGS), min_size=1, unique=True).map(tuple)
outlines = st.builds(Outline, st.permutations(SLUGS).map(tuple), st.lists(topics, max_size=12).map(tuple))
follows = st.sets(st.sampled_from(SLUGS))


@given(outlines, follows)
def test_every_item_shown_stands_under_a_topic_that_is_followed_and_its_own(
    outline: Outline, followed: set[TopicSlug]
) -> None:
    for section in edition_for(outline, followed).sections:
        assert section.topic in followed
        assert section.positions
        assert all(section.topic in outline.items[position] for position in section.positions)


@given(outlines, follows)
def test_every_item_of_a_followed_topic_is_shown_once_and_no_other(
    outline: Outline, followed: set[TopicSlug]
) -> None:
    shown = edition_for(outline, followed).positions
    wanted = [position for position, own in enumerate(outline.items) if followed.intersection(own)]
    assert sorted(shown) == wanted


@given(outlines, follows)
def test_sections_and_items_keep_the_issues_order(outline: Outline, followed: set[TopicSlug]) -> None:
    sections = edition_for(outline, followed).sections
    order = [outline.topics.index(section.topic) for section in sections]
    assert order == sorted(set(order))
    assert all(list(section.positions) == sorted(section.positions) for section in sections)


@given(outlines, follows)
def test_an_item_of_several_followed_topics_stands_under_the_one_it_fits_best(
    outline: Outline, followed: set[TopicSlug]
) -> None:
    for section in edition_for(outline, followed).sections:
        for position in section.positions:
            better = outline.items[position][: outline.items[position].index(section.topic)]
            assert followed.isdisjoint(better)


@given(outlines)
def test_who_follows_nothing_is_shown_nothing(outline: Outline) -> None:
    assert edition_for(outline, ()) == Edition(())


@given(outlines, follows)
def test_a_key_names_its_edition(outline: Outline, followed: set[TopicSlug]) -> None:
    edition = edition_for(outline, followed)
    assert Edition.from_key(edition.key) == edition


def test_a_key_reads_well() -> None:
    sections = (Section(SLUGS[0], (0, 4)), Section(SLUGS[1], (2,)))
    assert Edition(sections).key == "climate:0,4;space:2"


@pytest.mark.parametrize("text", ["climate", "climate:", "climate:a", "climate:1,;space:2"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Edition.from_key(text)
