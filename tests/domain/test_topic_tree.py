import pytest

from digest.domain.errors import InvalidInput
from digest.domain.issues import Outline, edition_for
from digest.domain.topics import Topic, TopicSlug, ancestors, require_parent

A, B, C, D, E = map(TopicSlug, "abcde")


def tree(*parents: tuple[TopicSlug, TopicSlug | None]) -> tuple[Topic, ...]:
    return tuple(Topic(slug, slug, parent=parent) for slug, parent in parents)


def test_ancestors_are_the_nearest_first_and_a_stored_circle_ends() -> None:
    assert ancestors(tree((A, None), (B, A), (C, B)), C) == (B, A)
    assert ancestors(tree((A, B), (B, A)), A) == (B,)
    assert ancestors(tree((A, B), (B, C), (C, B)), A) == (B, C)
    assert ancestors((), A) == ()


def test_a_circle_is_refused_and_shown() -> None:
    topics = tree((A, None), (B, A), (C, B))
    with pytest.raises(
        InvalidInput, match="then a is part of c is part of b is part of a, which is a circle"
    ):
        require_parent(topics, A, C)
    with pytest.raises(InvalidInput, match="a is part of a"):
        require_parent(topics, A, A)
    require_parent(topics, C, A)


def test_no_more_than_four_levels_are_allowed_counting_those_below() -> None:
    topics = tree((A, None), (B, A), (C, B), (D, None), (E, D))
    require_parent(topics, D, B)
    with pytest.raises(InvalidInput, match="5 levels, and 4 are the most"):
        require_parent(topics, D, C)


def test_a_reader_of_parent_and_child_gets_an_article_once_where_it_fits_best() -> None:
    outline = Outline((A, B), ((B, A), (A,)))
    assert edition_for(outline, {A, B}).key == "a:1;b:0"
    assert edition_for(outline, {A}).key == "a:0,1"
    assert edition_for(outline, {B}).key == "b:0"
