from hypothesis import given
from hypothesis import strategies as st

from digest.domain.layout import (
    COMPACT_ITEMS,
    FULL_ITEMS,
    HEADLINE_ITEMS,
    MAIL_ROOM,
    Density,
    Weights,
    lay_out,
)

FULL, COMPACT, HEADLINE = Density.FULL, Density.COMPACT, Density.HEADLINE
SHOWN = FULL_ITEMS + COMPACT_ITEMS + HEADLINE_ITEMS
ORDER = (FULL, COMPACT, HEADLINE, None)

WEIGHTS = st.lists(
    st.tuples(*[st.integers(1, 4000)] * 3).map(lambda sizes: tuple(sorted(sizes, reverse=True))), max_size=120
)


def total(weights: list[Weights], layout: tuple[Density | None, ...]) -> int:
    return sum(
        sizes[ORDER.index(density)]
        for sizes, density in zip(weights, layout, strict=True)
        if density is not None
    )


def test_up_to_twelve_articles_are_shown_in_full() -> None:
    assert lay_out([(2000, 1200, 600)] * 12, MAIL_ROOM) == (FULL,) * 12


def test_the_best_articles_keep_the_most_room_as_an_edition_grows() -> None:
    layout = lay_out([(2000, 1200, 600)] * 40, MAIL_ROOM)
    assert layout == (FULL,) * 12 + (COMPACT,) * 18 + (HEADLINE,) * 10


def test_what_comes_after_sixty_articles_is_online_only() -> None:
    layout = lay_out([(800, 500, 300)] * 100, MAIL_ROOM)
    assert layout[SHOWN - 1 :] == (HEADLINE, *(None,) * 40)


def test_without_a_limit_nothing_is_left_out() -> None:
    assert None not in lay_out([(90_000, 80_000, 70_000)] * 100, None)


def test_an_edition_that_is_too_heavy_gives_way_from_its_last_article_on() -> None:
    assert lay_out([(100, 50, 10)] * 3, 250) == (FULL, FULL, COMPACT)
    assert lay_out([(100, 50, 10)] * 3, 150) == (COMPACT, COMPACT, COMPACT)
    assert lay_out([(100, 50, 10)] * 3, 70) == (COMPACT, HEADLINE, HEADLINE)
    assert lay_out([(100, 50, 10)] * 3, 20) == (HEADLINE, HEADLINE, None)


def test_the_first_article_is_shown_however_little_room_there_is() -> None:
    assert lay_out([(100, 50, 10)] * 3, 0) == (HEADLINE, None, None)
    assert lay_out([], 0) == ()


@given(WEIGHTS, st.integers(0, 200_000))
def test_an_edition_fits_its_room_unless_a_single_headline_does_not(
    weights: list[Weights], room: int
) -> None:
    layout = lay_out(weights, room)
    assert total(weights, layout) <= room or layout[1:] == (None,) * (len(weights) - 1)


@given(WEIGHTS, st.integers(0, 200_000))
def test_no_article_is_shown_with_more_than_a_better_one(weights: list[Weights], room: int) -> None:
    levels = [ORDER.index(density) for density in lay_out(weights, room)]
    assert levels == sorted(levels)


@given(WEIGHTS, st.integers(0, 200_000))
def test_more_room_never_shows_an_article_with_less(weights: list[Weights], room: int) -> None:
    narrow, wide = (map(ORDER.index, lay_out(weights, limit)) for limit in (room, room + 500))
    assert all(more <= less for less, more in zip(narrow, wide, strict=True))
