"""A newsletter's own colours and logo on the pages of its archive."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest
from playwright.sync_api import Page

from digest.compose.markup import outline
from digest.domain.newsletters import NewsletterId
from digest.domain.themes import CONTRAST_MIN, DARK, LIGHT, Logo, Theme, contrast
from digest.store.database import writing
from digest.store.newsletters import change_newsletter, set_theme
from digest.web.archive_looks import stylesheet
from tests.compose.screens import looks_of, with_pictures_only
from tests.compose.test_themed_mail import BLUE, LOGO, NIGHT, THEME
from tests.web.site import Site
from tests.web.test_archive import HOME, PAGES
from tests.web.test_browser import overflow


def themed(site: Site, theme: Theme, language: str = "en") -> Site:
    with writing(site.runtime.engine) as session:
        set_theme(session, NewsletterId(1), theme)
        change_newsletter(session, NewsletterId(1), language=language)
    return site


def css_of(page: str) -> str | None:
    """The address of a page's own stylesheet."""
    found = re.findall(r'<link rel="stylesheet" href="([^"]*/theme\.css[^"]*)">', page)
    assert len(found) <= 1
    return found[0] if found else None


def test_without_colours_of_its_own_an_archive_has_ours(own_archive: Site) -> None:
    assert css_of(own_archive.get(HOME).text) is None
    site = themed(own_archive, Theme(logo=LOGO, wording={"en": {"why": {"other": "Because"}}}))
    assert css_of(site.get(HOME).text) is None
    assert site.get(f"{HOME}/theme.css").text == ""


def test_every_page_has_the_themes_colours(own_archive: Site) -> None:
    themed(own_archive, THEME)
    (path,) = {css_of(own_archive.get(page).text) for page in [*PAGES, f"{HOME}/99"]}
    assert path is not None
    response = own_archive.get(path)
    assert response.headers["content-type"].startswith("text/css")
    assert response.headers["x-content-type-options"] == "nosniff"
    light, _, dark = response.text.partition("@media (prefers-color-scheme: dark)")
    for part, colours in ((light, BLUE), (dark, NIGHT)):
        assert f"--accent: {colours.accent};" in part
        assert f"--paper: {colours.page};" in part
    again = own_archive.client.get(path, headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


def test_other_colours_are_another_address_so_that_no_cache_shows_the_old_ones(own_archive: Site) -> None:
    paths = {
        css_of(themed(own_archive, Theme(light=replace(LIGHT, accent=accent))).get(HOME).text)
        for accent in ("#0b5394", "#7a1f5c")
    }
    assert len(paths) == 2


def test_a_closed_archive_has_no_colours_to_show(own_archive: Site) -> None:
    themed(own_archive, THEME)
    with writing(own_archive.runtime.engine) as session:
        change_newsletter(session, NewsletterId(1), archive=False)
    for slug in ("saturday", "nobody", "SATURDAY", "%00"):
        response = own_archive.get(f"/archive/{slug}/theme.css")
        assert response.status_code == 404
        assert response.text == own_archive.get("/archive/nobody").text


@pytest.mark.parametrize("theme", [THEME, Theme(light=replace(LIGHT, accent="#0b5394"))])
def test_whatever_stands_on_another_can_be_read(theme: Theme) -> None:
    for block, usual in zip(stylesheet(theme).split("@media"), (LIGHT, DARK), strict=True):
        named = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        assert named.keys() >= {"paper", "card", "ink", "soft", "accent", "accent-hover", "on-accent"}
        texts, grounds = ("ink", "soft", "accent", "accent-hover"), ("paper", "card", "wash")
        pairs = [*product(texts, grounds), ("on-accent", "accent"), ("on-accent", "accent-hover")]
        for text, ground in pairs:
            assert contrast(named[text], named[ground]) >= CONTRAST_MIN, (text, ground, usual)


def test_a_logo_stands_above_the_name_or_in_its_place(own_archive: Site) -> None:
    above = outline(themed(own_archive, THEME).get(HOME).text)
    (logo,) = above.of_class("logo")
    assert (logo.attributes["src"], logo.attributes["alt"], logo.attributes["width"]) == (LOGO.url, "", "240")
    (home,) = (link for link in above.named("a") if link.attributes["href"] == HOME and "p" in link.inside)
    assert above.text_of(home) == "The Saturday Reader"
    instead = outline(themed(own_archive, Theme(logo=replace(LOGO, replaces_name=True))).get(HOME).text)
    (home,) = (link for link in instead.named("a") if link.attributes["href"] == HOME and "p" in link.inside)
    assert instead.text_of(home) == LOGO.alt


@pytest.mark.parametrize(
    "url", ["http://example.org/logo.png", "javascript:alert(1)", "https://e.org/'\"><x>"]
)
def test_a_logo_that_is_no_picture_of_the_web_harms_nothing(url: str, own_archive: Site) -> None:
    page = themed(own_archive, Theme(logo=Logo(url, '"><script>', 99))).get(HOME).text
    assert "<x>" not in page
    assert "javascript:" not in page
    assert page.count("<script") == 1, "what it tells machines"


@pytest.mark.parametrize(("language", "theme"), [("de", THEME), ("fr", Theme()), ("es", Theme())])
def test_pages_in_other_words_and_colours_fit_and_can_be_read(
    language: str, theme: Theme, own_archive: Site, page: Page
) -> None:
    themed(own_archive, theme, language)
    page.route("https://**/*", with_pictures_only)
    for path in [*PAGES, f"{HOME}/99", f"{HOME}?topic=oceans"]:
        page.goto(own_archive.url + path)
        for width, scheme in product((320, 375, 1280), ("light", "dark")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert overflow(page) == 0, (path, width)
            looks = looks_of(page, smallest=13)
            assert (looks.pale, looks.small) == ([], []), (path, width, scheme)


def test_the_colours_are_those_that_are_seen(own_archive: Site, page: Page) -> None:
    themed(own_archive, THEME)
    page.route("https://**/*", with_pictures_only)
    for scheme, colour in (("light", "rgb(254, 254, 254)"), ("dark", "rgb(7, 18, 29)")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(own_archive.url + HOME)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == colour
