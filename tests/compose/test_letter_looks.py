"""The mails besides the digest in a real browser and under the field's own tools."""

import tomllib
from collections.abc import Mapping
from email import message_from_bytes, policy
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab

from digest.compose.render import EmailTemplate
from digest.deliver.letters import Head, letter
from digest.domain.letters import LetterKind
from digest.domain.mail import Page
from tests.compose.screens import Looks, show, turn
from tests.compose.screens import looks_of as measured
from tests.compose.test_accessibility import violations
from tests.compose.test_appearance import KEPT, SCHEMES, WIDTHS
from tests.compose.test_hostile_text import HOSTILE
from tests.compose.test_letters import KINDS, THEME, Templates, alert, templates, trial
from tests.compose.test_letters import letter as letter_of
from tests.samples import SENT_AT
from tests.servers.browser import photograph
from tests.servers.mail_tools import PACKAGES, check_markup, spam_scores

__all__ = ["templates"]

LETTERS = [(kind, language) for kind in KINDS for language in ("en", "de", "ar")]
NAMES = [*(f"{kind}-{language}" for kind, language in LETTERS), "themed", "alert", "test"]
ALLOWED: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("mail_features.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def pages(templates: Templates, template: EmailTemplate) -> Mapping[str, Page]:
    found = {
        f"{kind}-{language}": letter_of(templates, kind, language=language) for kind, language in LETTERS
    }
    found["themed"] = letter_of(templates, LetterKind.WELCOME, theme=THEME)
    found["alert"] = alert(templates, happened="A sentence of some length that tells what came to pass.")
    return {**found, "test": trial(templates, template, topics=("Climate", "Space"), reader="")}


@pytest.fixture(scope="module")
def axe() -> str:
    return (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_can_be_read_on_any_screen(
    name: str, chromium: Tab, axe: str, pages: Mapping[str, Page]
) -> None:
    tab = show(chromium, pages[name], width=375)
    tab.evaluate(f"() => {{ {axe} }}")
    for width, scheme in product(WIDTHS, SCHEMES):
        turn(tab, width, scheme)
        looks = measured(tab)
        assert looks.texts >= 6
        assert looks == Looks(width, looks.texts, pale=[], small=[], tight=[], beside=[]), (width, scheme)
        if width == 375:
            photograph(tab, KEPT / f"{name}-{width}-{scheme}.png")
            assert violations(tab, *(["cat.color"] if scheme == "dark" else [])) == []


def test_what_the_mail_is_for_has_room_to_press(chromium: Tab, pages: Mapping[str, Page]) -> None:
    for name in NAMES[: len(LETTERS)]:
        box = show(chromium, pages[name], width=320).locator("a.act, a.preferences").first.bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_hostile_text_runs_nothing(chromium: Tab, templates: Templates) -> None:
    poison = " ".join(text.replace("alert(1)", "document.title=`owned`") for text in HOSTILE[:14])
    hostile = [letter_of(templates, kind, email=poison, topics=(poison,), name=poison) for kind in KINDS]
    for page in (*hostile, alert(templates, poison, poison)):
        tab = show(chromium, page)
        assert tab.title() != "owned"
        assert tab.locator("script, iframe, form, svg, [onerror], [onload], [onmouseover]").count() == 0
        assert tab.evaluate("document.documentElement.scrollWidth") == 375


def test_html_validate_and_caniemail_find_nothing_new(pages: Mapping[str, Page]) -> None:
    report = check_markup({name: page.html for name, page in pages.items()})
    assert {name: faults for name, faults in report.faults.items() if faults} == {}
    assert {name: clients for name, clients in report.unsupported.items() if name not in ALLOWED} == {}


def mailed(name: str, page: Page) -> bytes:
    to, feedback = "ada@example.org", f"{name}:x"
    head = Head(
        "desk@news.example.org",
        to,
        id_of(name),
        SENT_AT,
        sender_name="The Weekly",
        language="en",
        feedback_id=feedback,
    )
    return letter(page, head)


def id_of(name: str) -> str:
    return f"<{name}@news.example.org>"


def test_spamassassin_minds_no_letter(pages: Mapping[str, Page], tmp_path: Path) -> None:
    mails = {name: mailed(name, page) for name, page in pages.items() if name != "test"}
    scores = spam_scores(mails.values(), home=tmp_path)
    assert set(scores) == {id_of(name) for name in mails}
    assert {name: score for name, score in scores.items() if score.points > 0.5} == {}
    for mail in mails.values():
        message = message_from_bytes(mail, policy=policy.default)
        assert [defect for part in message.walk() for defect in part.defects] == []
