"""What a page says about the use of its text: closed to those who do not pay, reserved against mining."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.etree import _Element

from digest.domain.articles import Block
from digest.gather.boilerplate import invites_to_subscribe
from digest.gather.declarations import Declarations
from digest.gather.survey import Survey

# A stub beside an invitation to subscribe; one whose page names the closed part; one that is only called closed.
_STUB_WORDS = 260
_PART_WORDS = 100
_TINY_WORDS = 50
# A page with this much prose is no stub: nobody need look for an invitation in it.
_PROSE_CHARACTERS = 8_000
_CUT_SHARE = 0.6
_LINE_MOST = 300
_CLOSED_CHARACTERS = 700
_SELECTOR = re.compile(r"[.#]([\w-]+)")
_WALL = re.compile(
    r"(?:^|[\s_-])(?:pay-?wall\w*|reg-?wall\w*|subscriber-only|premium-?(?:content|wall)|meter(?:ed)?-?(?:wall|content)?"
    r"|subscription-?(?:wall|required|prompt)|piano-?\w*|locked-?content|gated?-?content)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LOCKED_TIERS = frozenset({"locked", "premium", "paid", "subscriber", "subscribers"})
_NO_AI = frozenset({"noai", "notrain", "noml"})


@dataclass(frozen=True, slots=True)
class Walls:
    """What on a page speaks of a paywall, read before its boxes are taken away.

    `signs` are in words, the surest first. `whole_words` is how long the page says its article is, 0 when it
    does not; `has_closed_part`, whether the part it calls closed stands in the page with its text. Under
    `stub_words`, which depends on the signs, a text is taken for a stub.
    """

    signs: tuple[str, ...]
    whole_words: int
    has_closed_part: bool
    stub_words: int


def walls_of(page: Declarations, survey: Survey) -> Walls:
    """Return what on a page speaks of a paywall. The declarations and the tree are of the same page."""
    signs = []
    if page.article.is_free is False:
        signs.append("its JSON-LD says isAccessibleForFree: false")
    tier = page.first("article:content_tier", "content_tier").casefold()
    if tier in _LOCKED_TIERS:
        signs.append(f"its meta content_tier is '{tier}'")
    invited = _invitation(page.tree, survey)
    selectors = page.article.closed_selectors()
    if invited:
        signs.append(f"it says '{invited}'")
    return Walls(
        signs=tuple(signs),
        whole_words=page.article.words,
        has_closed_part=_has_closed_part(page, survey),
        stub_words=_STUB_WORDS if invited else _PART_WORDS if selectors else _TINY_WORDS,
    )


def why_partial(walls: Walls, blocks: Sequence[Block]) -> str:
    """Return in words why the text is only the beginning of the article, '' when it is the whole.

    Sites that count their visitors' articles send the whole text with the same signs, and so do news in
    three lines: the signs are believed where the text is shorter than the page says, or where there is
    little of it and something else speaks of a wall.
    """
    if not walls.signs:
        return ""
    words = sum(len(block.text.split()) for block in blocks)
    if walls.whole_words:
        is_cut = words < _CUT_SHARE * walls.whole_words
        told = f"{words} of its {walls.whole_words} words are here"
    else:
        is_cut = words < walls.stub_words and not walls.has_closed_part
        told = f"only {words} words are here"
    return f"{walls.signs[0]}, and {told}" if is_cut else ""


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
    if body is None or sum(map(survey.length, body.iter("p"))) > _PROSE_CHARACTERS:
        return ""
    for element in body.iter("p", "div", "h2", "h3", "h4", "span", "section"):
        text = survey.short_text(element, _LINE_MOST)
        is_wall = bool(text) and bool(_WALL.search((element.get("class") or "")[:_LINE_MOST]))
        if text and invites_to_subscribe(text, in_wall=is_wall):
            return text[:80]
    return ""


def _has_closed_part(page: Declarations, survey: Survey) -> bool:
    """Say whether the part that JSON-LD calls closed is in the page with some text (`.class`, `#id`)."""
    selectors = map(_SELECTOR.search, page.article.closed_selectors())
    names = {found[1] for found in selectors if found}
    if not names:
        return False
    length = 0
    for element in page.tree.iter("div", "section", "article", "main", "p"):
        own = {*(element.get("class") or "").split(), element.get("id") or ""}
        if own & names:
            length += survey.length(element)
    return length >= _CLOSED_CHARACTERS
