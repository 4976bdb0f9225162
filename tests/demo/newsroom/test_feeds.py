import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import feedparser
import pytest

from digest.demo.newsroom import Newsroom, SampleSource
from digest.demo.newsroom.sample_articles import SampleArticle, read_articles
from tests.demo.web import get

HOSTILE = "<script>alert(1)</script> in a headline: how a joke froze 212 station displays"


def source(newsroom: Newsroom, name: str) -> SampleSource:
    return next(source for source in newsroom.sources if source.name == name)


def articles_of(site: str) -> dict[str, SampleArticle]:
    return {article.title: article for article in read_articles() if article.site == site}


def parsed(newsroom: Newsroom, name: str) -> Any:
    body = get(source(newsroom, name).url).body
    return feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)


def test_the_rss_feed_lists_every_article_of_the_meridian_post_newest_first(newsroom: Newsroom) -> None:
    feed = parsed(newsroom, "The Meridian Post")
    assert (feed.bozo, feed.version) == (False, "rss20")
    assert {entry.title for entry in feed.entries} == set(articles_of("meridian"))
    times = [entry.published_parsed for entry in feed.entries]
    assert times == sorted(times, reverse=True)


def test_the_rss_feed_gives_summaries_and_categories_but_no_text(newsroom: Newsroom) -> None:
    articles = articles_of("meridian")
    for entry in parsed(newsroom, "The Meridian Post").entries:
        article = articles[entry.title]
        assert entry.summary == article.summary
        assert tuple(tag.term for tag in entry.tags) == article.categories
        assert "content" not in entry


def test_the_atom_feed_carries_whole_texts(newsroom: Newsroom) -> None:
    feed = parsed(newsroom, "Northlight")
    articles = articles_of("northlight")
    assert (feed.bozo, feed.version) == (False, "atom10")
    assert len(feed.entries) == len(articles) == 10
    for entry in feed.entries:
        article = articles[entry.title]
        assert len(entry.content[0].value.split()) > article.word_count
        assert all(takeaway in entry.content[0].value for takeaway in article.takeaways)


def test_a_hostile_title_arrives_as_the_text_it_is(newsroom: Newsroom) -> None:
    assert HOSTILE in {entry.title for entry in parsed(newsroom, "Northlight").entries}


def test_the_json_feed_lists_its_own_articles_and_one_of_a_partner(newsroom: Newsroom) -> None:
    feed = json.loads(get(source(newsroom, "Harbour Ledger").url).body)
    titles = {item["title"] for item in feed["items"]}
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert titles - set(articles_of("harbour")) == {
        "Parliament passes a right to repair for scooters, hearing aids and tractors"
    }
    assert all(
        {"id", "url", "summary", "content_html", "date_published", "tags"} <= set(i) for i in feed["items"]
    )


def test_one_page_is_listed_by_two_feeds_with_different_tracking(newsroom: Newsroom) -> None:
    rss = {entry.link for entry in parsed(newsroom, "The Meridian Post").entries}
    items = json.loads(get(source(newsroom, "Harbour Ledger").url).body)["items"]
    both = {urlsplit(link).path for link in rss} & {urlsplit(item["url"]).path for item in items}
    (path,) = both
    tracked = [link for link in (*rss, *(item["url"] for item in items)) if urlsplit(link).path == path]
    assert [parse_qs(urlsplit(link).query)["utm_source"] for link in tracked] == [["rss"], ["harbour"]]
    assert len({get(link).body for link in tracked}) == 1


def test_the_broken_source_answers_200_with_something_that_is_no_feed(newsroom: Newsroom) -> None:
    answer = get(source(newsroom, "Tideline").url)
    assert answer.status == 200
    assert "Tideline is moving house" in answer.text
    assert feedparser.parse(answer.body).entries == []


@pytest.mark.parametrize("name", ["The Meridian Post", "Northlight", "Harbour Ledger"])
def test_a_feed_that_has_not_changed_is_not_sent_again(newsroom: Newsroom, name: str) -> None:
    url = source(newsroom, name).url
    first = get(url)
    by_tag = get(url, If_None_Match=f'"other", W/{first.headers["ETag"]}')
    by_date = get(url, If_Modified_Since=first.headers["Last-Modified"])
    assert [(answer.status, answer.body) for answer in (by_tag, by_date)] == [(304, b""), (304, b"")]


@pytest.mark.parametrize(
    "headers",
    [
        {"If_None_Match": '"of another day"'},
        {"If_Modified_Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
        {"If_None_Match": '"old"', "If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ],
)
def test_a_feed_that_has_changed_is_sent_again(newsroom: Newsroom, headers: dict[str, str]) -> None:
    answer = get(source(newsroom, "Northlight").url, **headers)
    assert answer.status == 200
    assert answer.body.startswith(b"<?xml")
