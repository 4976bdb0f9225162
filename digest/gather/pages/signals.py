"""What a page says about the use of its text: closed to those who do not pay, reserved against mining."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lxml.etree import _Element

from digest.domain.articles import Block
from digest.gather.pages.boilerplate import invites_to_subscribe
from digest.gather.pages.declarations import Declarations
from digest.gather.pages.survey import Survey

# A stub beside an invitation to subscribe; one whose page names the closed part; one only called closed.
_STUB_WORDS = 260
_PART_WORDS = 100
_TINY_WORDS = 50
_CUT_SHARE = 0.6
_LINE_MOST = 300
_CLOSED_CHARACTERS = 700
_SELECTOR = re.compile(r"[.#]([\w-]+)")
_WALL = re.compile(
    r"(?:^|[\s_-])(?:pay-?wall\w*|reg-?wall\w*|subscriber-only|premium-?(?:content|wall)"
    r"|meter(?:ed)?-?(?:wall|content)?"
    r"|subscription-?(?:wall|required|prompt)|piano-?\w*|locked-?content|gated?-?content)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LOCKED_TIERS = frozenset({"locked", "premium", "paid", "subscriber", "subscribers"})
_NO_AI = frozenset({"noai", "notrain", "noml"})


def wall_signs(page: Declarations) -> tuple[str, ...]:
    """Return in words what a page declares of a paywall; empty when nothing."""
    signs = []
    if page.article.is_free is False:
        signs.append("its JSON-LD says isAccessibleForFree: false")
    tier = page.first("article:content_tier", "content_tier").casefold()
    if tier in _LOCKED_TIERS:
        signs.append(f"its meta content_tier is '{tier}'")
    return tuple(signs)


def why_partial(page: Declarations, blocks: Sequence[Block], whole: Callable[[], _Element]) -> str:
    """Return in words why the text is only the beginning of the article, '' when it is the whole.

    Sites that count their visitors' articles send the whole text with the same signs, and so do news in
    three lines: signs are believed where the text is shorter than the page says, or where there is little of
    it and something else speaks of a wall. `whole` gives the page's tree with nothing taken out; it is asked
    for short texts only.
    """
    signs = wall_signs(page)
    words = sum(len(block.text.split()) for block in blocks)
    if signs and page.article.words:
        is_cut = words < _CUT_SHARE * page.article.words
        return f"{signs[0]}, and {words} of its {page.article.words} words are here" if is_cut else ""
    if words >= _STUB_WORDS:
        return ""
    tree = whole()
    survey = Survey(tree)
    invitation = _invitation(tree, survey)
    if _has_closed_part(page, tree, survey) or not (signs or invitation):
        return ""
    most = _STUB_WORDS if invitation else _PART_WORDS if page.article.closed_selectors() else _TINY_WORDS
    sign = f"it says '{invitation}'" if invitation else signs[0]
    return f"{sign}, and only {words} words are here" if words < most else ""


def reservation_of(page: Declarations) -> str:
    """Return by which signal the publisher reserves the text against mining, '' when by none.

    `noai` in `<meta name="robots">`, and `tdm-reservation` (W3C TDM Reservation Protocol, §5.3).
    """
    directives = {
        word.strip().casefold() for value in page.all("robots", "googlebot") for word in value.split(",")
    }
    found = sorted(directives & _NO_AI)
    if found:
        return f'the page\'s <meta name="robots"> says {found[0]}'
    if page.first("tdm-reservation") == "1":
        return 'the page\'s <meta name="tdm-reservation"> is 1'
    return ""


def _invitation(tree: _Element, survey: Survey) -> str:
    """Return the line that asks to subscribe in order to read on, or what a wall's box says."""
    body = tree.find("body")
    for element in () if body is None else body.iter("p", "div", "h2", "h3", "h4", "span", "section"):
        text = survey.short_text(element, _LINE_MOST)
        is_wall = bool(text) and bool(_WALL.search((element.get("class") or "")[:_LINE_MOST]))
        if text and invites_to_subscribe(text, in_wall=is_wall):
            return text[:80]
    return ""


def _has_closed_part(page: Declarations, tree: _Element, survey: Survey) -> bool:
    """Say whether the part that JSON-LD calls closed is in the page with some text (`.class`, `#id`)."""
    selectors = map(_SELECTOR.search, page.article.closed_selectors())
    names = {found[1] for found in selectors if found}
    if not names:
        return False
    length = 0
    for element in tree.iter("div", "section", "article", "main", "p"):
        own = {*(element.get("class") or "").split(), element.get("id") or ""}
        if own & names:
            length += survey.length(element)
    return length >= _CLOSED_CHARACTERS
