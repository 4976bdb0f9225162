from dataclasses import replace

import pytest

from digest.compose.checks import Finding, check_page
from digest.domain.mail import Page


def errors(page: Page) -> list[Finding]:
    return [finding for finding in check_page(page) if finding.severity == "error"]


def test_a_title_that_the_text_lacks_is_an_error(page: Page) -> None:
    (found,) = errors(replace(page, text=page.text.replace("quiet star", "loud star")))
    assert found.what == (
        "the text form lacks the title 'A quiet star, and the first weather map of a planet around…'"
    )
    assert found.next_step


def test_so_is_a_takeaway(page: Page) -> None:
    (found,) = errors(replace(page, text=page.text.replace("silicate haze", "silicate")))
    assert "lacks the takeaway 'The cloud forms at dusk" in found.what


def test_a_link_is_not_taken_for_the_beginning_of_another(page: Page) -> None:
    url = "https://meridian.example.org/2026/11/tidal-array"
    (found,) = errors(replace(page, text=page.text.replace(url, f"{url}-two")))
    assert found.what == f"the text form lacks the link {url}"


@pytest.mark.parametrize("place", ["/mute/space", "#pause"])
def test_so_are_the_links_to_mute_a_topic_and_to_pause(page: Page, place: str) -> None:
    (found,) = errors(replace(page, text=page.text.replace(place, "")))
    assert found.what.startswith("the text form lacks the link https://")
    assert found.what.endswith(place)


def test_articles_in_another_order_are_warned_about_once_of_each_kind(page: Page) -> None:
    first, second = page.text.index("The tidal array"), page.text.index("A school for")
    third = page.text.index("Rewetted peat")
    turned = page.text[:first] + page.text[second:third] + page.text[first:second] + page.text[third:]
    told = [finding for finding in check_page(replace(page, text=turned)) if finding.where == "text"]
    assert [finding.severity for finding in told] == ["warning"] * 3
    assert "in another place" in told[0].what
