"""The digest looks the same whether mrml or npm's mjml 5 compiled it; a control does not."""

from dataclasses import replace
from itertools import product

import pytest

from benchmarks.compilers import FOLDER, MAX_PERCENT, SCHEMES, WIDTHS, compare, compiled_by_mjml, edition_by
from digest.compose.render import EmailTemplate, compile_template
from tests.compose.screens import with_pictures_only
from tests.samples import issue_in
from tests.servers.browser import ChromiumBrowser


@pytest.fixture(scope="module")
def pair() -> tuple[EmailTemplate, EmailTemplate]:
    return compile_template(FOLDER), compiled_by_mjml(FOLDER)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_hardly_a_pixel_differs_between_the_compilers(
    language: str, pair: tuple[EmailTemplate, EmailTemplate], browser: ChromiumBrowser
) -> None:
    ours, theirs = (edition_by(template, issue_in(language, 3)) for template in pair)
    assert "mj-outlook-group-fix mj-column" in ours.html
    assert "mj-outlook-group-fix mj-column" not in theirs.html, "both compilers were at work"
    with browser.page() as tab:
        tab.route("**/*", with_pictures_only)
        for width, scheme in product(WIDTHS, SCHEMES):
            found = compare(tab, (ours, theirs), f"{language}-3", width, scheme)
            assert found.percent < MAX_PERCENT, found


def test_a_page_that_looks_different_is_seen_to_differ(browser: ChromiumBrowser) -> None:
    page = edition_by(compile_template(FOLDER), issue_in("en", 1))
    larger = replace(page, html=page.html.replace("font-size:24px", "font-size:26px"))
    with browser.page() as tab:
        tab.route("**/*", with_pictures_only)
        assert compare(tab, (page, page), "en-1", 375, "light").differing == 0
        assert compare(tab, (page, larger), "en-1", 375, "light").percent > MAX_PERCENT
