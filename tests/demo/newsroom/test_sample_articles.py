import re
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.demo.newsroom.sample_articles import SampleArticle, read_articles
from digest.domain.times import Window

ARTICLES = read_articles()
NOW = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
each_article = pytest.mark.parametrize("article", ARTICLES, ids=lambda article: article.slug)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def containment(one: SampleArticle, other: SampleArticle) -> float:
    first, second = shingles(one.body), shingles(other.body)
    return len(first & second) / min(len(first), len(second))


def told_as(story: str) -> tuple[SampleArticle, SampleArticle]:
    first, second = (article for article in ARTICLES if article.story == story)
    return first, second


@each_article
def test_an_article_has_300_to_900_words(article: SampleArticle) -> None:
    assert 300 <= article.word_count <= 900


@each_article
def test_an_article_says_all_that_a_page_needs(article: SampleArticle) -> None:
    assert article.title
    assert article.byline
    assert article.categories
    assert article.summary
    assert article.caption
    assert article.alt


@each_article
def test_published_takeaways_are_a_headed_list_in_words_of_their_own(article: SampleArticle) -> None:
    assert bool(article.takeaways) == bool(article.takeaways_heading)
    assert len(article.takeaways) in (0, 3, 4)
    assert not any(takeaway in article.body for takeaway in article.takeaways)


def test_thirty_articles_and_more_lie_in_the_window_of_a_week() -> None:
    window = Window.before(NOW, 7, ZoneInfo("UTC"))
    outside = [article for article in ARTICLES if article.published_at(NOW, UTC) not in window]
    assert len(ARTICLES) - len(outside) == 36
    assert sorted(article.days_ago for article in outside) == [12, 20]


@pytest.mark.parametrize("name", ["Pacific/Auckland", "America/New_York", "Asia/Tokyo"])
def test_an_article_lies_on_the_same_local_day_in_every_zone(name: str) -> None:
    zone = ZoneInfo(name)
    days = Window.before(NOW, 7, zone).local_days(zone)
    dates = [article.published_at(NOW, zone).date() for article in ARTICLES if article.days_ago <= 7]
    assert (min(dates), max(dates)) == days


def test_twelve_articles_carry_the_publishers_takeaways_under_seven_kinds_of_heading() -> None:
    headings = Counter(article.takeaways_heading for article in ARTICLES if article.takeaways)
    assert headings == {
        "Key Takeaways": 2,
        "In brief": 3,
        "At a glance": 2,
        "Key points": 2,
        "TL;DR": 1,
        "L’essentiel": 1,
        "Das Wichtigste in Kürze": 1,
    }


def test_one_article_is_german_and_one_french() -> None:
    assert Counter(article.language for article in ARTICLES) == {"en": 36, "de": 1, "fr": 1}


def test_an_agency_copy_repeats_more_than_half_of_the_other_report() -> None:
    assert containment(*told_as("oule-bridge")) > 0.6


def test_the_landing_is_told_twice_in_different_words() -> None:
    first, second = told_as("lantern-2")
    assert first.site != second.site
    assert containment(first, second) < 0.2


def test_no_other_articles_share_their_wording() -> None:
    pairs = [(a, b) for a in ARTICLES for b in ARTICLES if a.slug < b.slug]
    alike = [(a.slug, b.slug) for a, b in pairs if containment(a, b) > 0.03 and a.story is None]
    assert alike == []


def test_weekdays_are_those_of_the_publication() -> None:
    article = next(article for article in ARTICLES if article.slug == "oule-tram-bridge")
    text = article.body_on(article.published_at(NOW, UTC))
    assert "voted 31 to 24 on Wednesday to build" in text
    assert not any("{" in a.body_on(a.published_at(NOW, UTC)) for a in ARTICLES)
