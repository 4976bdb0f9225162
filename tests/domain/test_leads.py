from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.articles import Article, Block, BlockKind, TextOrigin
from digest.domain.leads import Lead, Report, choose_lead, lead_order

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


def report(name: str = "a", *, words: int = 100, hours: int = 0) -> Report:
    blocks = (Block(BlockKind.PARAGRAPH, "word " * words),) if words else ()
    url = f"https://{name}.example/"
    return Report(Article(url, name, blocks, "en", NOON + timedelta(hours=hours)))


PLAIN = report("b", words=400)


@pytest.mark.parametrize(
    ("better", "why"),
    [
        (report(words=300), "the only one that can be shown in full"),
        (replace(report(), weight=2.0), "its source weighs most"),
        (replace(report(), has_publishers=True), "its publisher wrote takeaways"),
        (report(words=800), "the fullest report"),
        (report(words=410, hours=-1), "the earliest report"),
        (report(words=390), "first by address, all else being equal"),
    ],
)
def test_a_lead_says_why(better: Report, why: str) -> None:
    cut = replace(PLAIN, article=replace(PLAIN.article, is_partial=True))
    others = cut if why.startswith("the only") else PLAIN
    assert choose_lead([others, better]) == Lead(1, why)
    assert choose_lead([better, others]) == Lead(0, why)


def test_what_may_not_be_shown_leads_only_when_nothing_else_can() -> None:
    reserved = replace(PLAIN, weight=9.0, article=replace(PLAIN.article, reservation="tdm-reservation"))
    empty = report("c", words=0)
    untold = replace(PLAIN, has_takeaways=False)
    assert lead_order([reserved, empty, untold, report()])[0] == 3
    assert choose_lead([reserved]) == Lead(0, "")


def test_a_page_leads_before_a_feed_and_an_original_before_its_copy() -> None:
    feed = replace(PLAIN, article=replace(PLAIN.article, text_origin=TextOrigin.FEED))
    copy = replace(PLAIN, is_copy=True)
    assert choose_lead([feed, report(words=90)]) == Lead(1, "read from its page, not from a feed")
    assert choose_lead([copy, report(words=90)]) == Lead(1, "the original, not a copy")


def test_a_story_has_at_least_one_report() -> None:
    with pytest.raises(ValueError, match="at least one"):
        choose_lead([])


FIVE = [
    report("a", words=9),
    report("b", words=90),
    report("c", words=0),
    report("d", words=91),
    report("e", words=90),
]


@given(st.permutations(FIVE))
def test_the_order_reports_come_in_decides_nothing(reports: list[Report]) -> None:
    ordered = [reports[index].article.title for index in lead_order(reports)]
    assert ordered == ["b", "d", "e", "a", "c"]
