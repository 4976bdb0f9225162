import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.themes import DARK, LIGHT, Colours, Logo, Theme, contrast, hard_to_read

COLOUR = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
COLOURS = st.builds(Colours, *[COLOUR] * 5)
THEMES = st.builds(
    Theme,
    light=COLOURS,
    dark=st.just(DARK) | COLOURS,
    font=st.sampled_from(["Verdana, sans-serif", Theme().font]),
    logo=st.none()
    | st.builds(Logo, st.just("https://example.org/l.png"), st.text(min_size=1), st.integers()),
    wording=st.dictionaries(
        st.sampled_from(["en", "de", "pt-BR"]),
        st.dictionaries(st.text(min_size=1), st.dictionaries(st.just("other"), st.text(), min_size=1)),
        max_size=2,
    ),
)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#000000", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.00),
        ("#123456", "#123456", 1.0),
    ],
)
def test_contrast_is_what_wcag_computes(one: str, other: str, ratio: float) -> None:
    assert round(contrast(one, other), 2) == ratio


def test_our_own_colours_can_be_read() -> None:
    assert list(hard_to_read(LIGHT)) == list(hard_to_read(DARK)) == []


def test_each_colour_of_text_that_is_too_pale_is_told() -> None:
    pale = Colours(ink="#777777", soft="#767676", accent="#ffff00", page="#ffffff", rule="#ffffff")
    assert [(name, round(ratio, 1)) for name, ratio in hard_to_read(pale)] == [("ink", 4.5), ("accent", 1.1)]


def test_a_theme_that_sets_nothing_stores_nothing() -> None:
    assert Theme().to_plain() == {}


@given(THEMES)
def test_a_theme_comes_back_from_its_plain_form(theme: Theme) -> None:
    found = Theme.from_plain(theme.to_plain())
    assert found.to_plain() == theme.to_plain()
    assert (found.light, found.dark, found.font, found.logo) == (
        theme.light,
        theme.dark,
        theme.font,
        theme.logo,
    )
    assert found.wording == theme.wording
