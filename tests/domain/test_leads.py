from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.articles import Article, Block, BlockKind, TextOrigin
from digest.domain.leads import Report, lead_order, why_leads

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


def report(name: str = "a", *, words: int = 100, hours: int = 0) -> Report:
    blocks = (Block(BlockKind.PARAGRAPH, "word " * words),) if words else ()
    url = f"https://{name}.example/"
    return Report(Article(url, name, blocks, "en", NOON + timedelta(hours=hours)))


PLAIN = report("b", words=400)


@pytest.mark.parametrize(
    ("better", "why"),
    [
        (report(words=300), "only it can be shown in full"),
        (replace(report(), weight=2.0), "its source weighs most"),
        (replace(report(), has_publishers=True), "its publisher wrote takeaways"),
        (report(words=800), "it is the fuller report"),
        (report(words=410, hours=-1), "it is the earlier report"),
        (report(words=390), "all else being equal, its address comes first"),
    ],
)
def test_a_lead_says_why(better: Report, why: str) -> None:
    cut = replace(PLAIN, article=replace(PLAIN.article, is_partial=True))
    others = cut if why.startswith("only it") else PLAIN
    assert lead_order([others, better]) == (1, 0)
    assert lead_order([better, others]) == (0, 1)
    assert why_leads(better, others) == why


def test_what_may_not_be_shown_leads_only_when_nothing_else_can() -> None:
    reserved = replace(PLAIN, weight=9.0, article=replace(PLAIN.article, reservation="tdm-reservation"))
    empty = report("c", words=0)
    untold = replace(PLAIN, has_takeaways=False)
    assert lead_order([reserved, empty, untold, report()])[0] == 3


def test_a_page_leads_before_a_feed_and_an_original_before_its_copy() -> None:
    feed = replace(PLAIN, article=replace(PLAIN.article, text_origin=TextOrigin.FEED))
    copy = replace(PLAIN, is_copy=True)
    for behind, why in (
        (feed, "it was read from its page, not from a feed"),
        (copy, "it is the original, not a copy"),
    ):
        assert lead_order([behind, report(words=90)]) == (1, 0)
        assert why_leads(report(words=90), behind) == why


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
