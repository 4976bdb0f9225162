"""Every edition under axe-core in Chromium, light and dark."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Page as Tab

from digest.domain.mail import Page
from tests.compose.editions import NAMES
from tests.compose.screens import show, turn
from tests.servers.mail_tools import PACKAGES

# `region` and `landmark-one-main` ask for the landmarks of a web page; a mail is shown within one.
AXE = """async (categories) => {
  const options = {
    resultTypes: ["violations", "incomplete"],
    selectors: false,
    rules: { region: { enabled: false }, "landmark-one-main": { enabled: false } },
    ...(categories.length && { runOnly: categories }),
  };
  const { violations, incomplete } = await axe.run(document, options);
  return [...violations, ...incomplete].map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}"""


def violations(tab: Tab, *categories: str) -> list[str]:
    """Return what axe finds or cannot tell, by all its rules or those of these categories."""
    found: list[str] = tab.evaluate(AXE, list(categories))
    return found


@pytest.fixture(scope="module")
def axe() -> str:
    return (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(name: str, chromium: Tab, axe: str, editions: Mapping[str, Page]) -> None:
    tab = show(chromium, editions[name], width=375)
    tab.evaluate(f"() => {{ {axe} }}")
    assert violations(tab) == []
    turn(tab, 375, "dark")
    assert violations(tab, "cat.color") == [], "in the dark only colours differ"


def test_axe_does_find_what_is_wrong(chromium: Tab, axe: str, editions: Mapping[str, Page]) -> None:
    page = editions["en-3"]
    spoiled = (
        page.html.replace(' lang="en"', "", 1)
        .replace(' alt="Slack water"', "", 1)
        .replace(".ink { color: #ebe7df", ".ink { color: #22262b")
    )
    tab = show(chromium, Page(page.subject, spoiled, page.text))
    tab.evaluate(f"() => {{ {axe} }}")
    assert {found.partition(":")[0] for found in violations(tab)} == {"html-has-lang", "image-alt"}
    turn(tab, 375, "dark")
    assert {found.partition(":")[0] for found in violations(tab, "cat.color")} == {"color-contrast"}
