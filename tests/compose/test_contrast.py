from collections.abc import Sequence

import pytest

from digest.compose.checks.contrast import check_contrast, contrast
from digest.compose.checks.findings import Severity
from digest.compose.checks.seen import see_page

DARK = "@media (prefers-color-scheme: dark)"


def told(body: str, style: str = "") -> Sequence[str]:
    return [finding.what for finding in check_contrast(see_page(f"<style>{style}</style>{body}", ""))]


def on_light(body: str, style: str = "") -> Sequence[str]:
    """What is found on light screens; there is nothing to see on dark ones."""
    return [
        what for what in told(body, f"{style} {DARK} {{ * {{ color: #fff !important }} }}") if "light" in what
    ]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ((0, 0, 0), (255, 255, 255), 21),
        ((255, 255, 255),) * 2 + (1,),
        ((119, 119, 119), (255, 255, 255), 4.478),
    ],
)
def test_contrast_is_that_of_wcag(
    one: tuple[int, int, int], other: tuple[int, int, int], ratio: float
) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.001)


def test_pale_words_are_told_with_their_colours_and_what_is_needed() -> None:
    (finding,) = [
        f for f in check_contrast(see_page("<p style='color:#777'>Pale words</p>", "")) if "light" in f.what
    ]
    assert finding.severity is Severity.WARNING
    assert finding.what == (
        "'Pale words' is hard to read on a light screen: "
        "#777777 on #ffffff has a contrast of 4.4, and 4.5 is needed"
    )
    assert finding.where == "<p> in line 1"


@pytest.mark.parametrize(
    "style",
    [
        "font-size:24px",
        "font-size:18pt",
        "font-size:1.5em",
        "font-weight:bold;font-size:19px",
        "font-size:150%",
    ],
)
def test_large_words_may_be_paler(style: str) -> None:
    assert on_light(f"<p style='color:#808080;{style}'>Large</p>") == []
    assert on_light(f"<p style='color:#999;{style}'>Large</p>")


@pytest.mark.parametrize(
    "declared",
    [
        "p { color: #bbb }",
        ".pale { color: #bbb }",
        "p.pale { color: #bbb } p { color: #000 }",
        "div .pale { color: #bbb }",
        ".x, .pale { color: rgb(187, 187, 187) }",
        "p { color: rgba(0, 0, 0, 0.2) }",
        "p { color: silver }",
        "/* p { color: #000 } */ p { color: #bbb }",
        "p { color: #bbb !important } .pale { color: #000 }",
        "div { color: #bbb }",
        "p { background: #333 url(x.png); color: #000 }",
    ],
)
def test_styles_are_found_as_a_browser_finds_them(declared: str) -> None:
    assert len(on_light("<div><p class='pale'>Pale</p></div>", declared)) == 1


@pytest.mark.parametrize(
    "declared",
    [
        "p { color: #bbb } .pale { color: #000 }",
        ".pale { color: #bbb } p { color: #000 !important }",
        "table .pale { color: #bbb }",
        "@media print { p { color: #bbb } }",
        "p:hover { color: #bbb }",
        "p { display: none; color: #bbb }",
        "p { color: nonsense }",
        "} p { color: #bbb } {",
    ],
)
def test_what_does_not_hold_is_not_told(declared: str) -> None:
    assert on_light("<div><p class='pale'>Dark</p></div>", declared) == []


def test_inline_styles_win_unless_the_sheet_insists() -> None:
    assert on_light("<p style='color:#000'>x</p>", "p { color: #bbb }") == []
    assert on_light("<p style='color:#000'>x</p>", "p { color: #bbb !important }")


def test_backgrounds_are_those_of_what_is_around() -> None:
    assert on_light("<table bgcolor='#222222'><tr><td><b>x</b></td></tr></table>")
    assert on_light("<div style='background:#222'><b style='color:#fff'>x</b></div>") == []


def test_a_dark_screen_has_colours_of_its_own() -> None:
    (found,) = told(
        "<body class='page' style='background-color:#fff'><p style='color:#222'>Words</p></body>",
        f"{DARK} {{ .page {{ background-color: #15171a !important }} }}",
    )
    assert "on a dark screen: #222222 on #15171a" in found


def test_one_pair_of_colours_is_told_once() -> None:
    assert len(on_light("<p style='color:#bbb'>One</p><p style='color:#bbb'>Two</p>")) == 1


def test_filling_and_pictures_are_no_words() -> None:
    assert (
        on_light("<p style='color:#bbb'>&#847;&zwnj;&nbsp;</p><a style='color:#bbb'><img alt='x'></a>") == []
    )
