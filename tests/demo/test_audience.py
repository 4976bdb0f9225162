import csv
import io
import re
from collections import Counter
from zoneinfo import ZoneInfo

from digest.demo.audience import sample_subscribers, sample_topics
from digest.demo.newsroom.sample_articles import SampleArticle, read_articles
from digest.domain.topics import Topic

SUBSCRIBERS = list(csv.DictReader(io.StringIO(sample_subscribers())))
TOPICS = sample_topics()


def belongs(article: SampleArticle, topic: Topic) -> bool:
    """A plain reading of a rule: a label, a phrase in the title, or three in the text."""
    labels = {category.casefold() for category in topic.rule.categories}
    phrases = re.compile(rf"\b(?:{'|'.join(map(re.escape, topic.rule.phrases))})\b", re.IGNORECASE)
    labelled = any(category.casefold() in labels for category in article.categories)
    return labelled or bool(phrases.search(article.title)) or len(phrases.findall(article.body)) >= 3


def topics_of(article: SampleArticle) -> list[str]:
    return [topic.slug for topic in TOPICS if belongs(article, topic)]


def follows(subscriber: dict[str, str]) -> set[str]:
    return {topic for topic in subscriber["topics"].split(";") if topic}


def test_every_article_has_one_to_three_topics() -> None:
    counts = {article.slug: len(topics_of(article)) for article in read_articles()}
    assert {slug: count for slug, count in counts.items() if not 1 <= count <= 3} == {}


def test_every_topic_but_oceans_has_three_articles_or_more_this_week() -> None:
    week = [article for article in read_articles() if article.days_ago <= 7]
    counts = Counter(topic for article in week for topic in topics_of(article))
    assert {topic.slug for topic in TOPICS} - set(counts) == {"oceans"}
    assert min(counts.values()) >= 3


def test_no_phrase_about_oceans_stands_in_any_article() -> None:
    oceans = TOPICS[-1]
    text = "\n".join(article.title + article.summary + article.body for article in read_articles())
    assert not any(phrase in text.lower() for phrase in oceans.rule.phrases)


def test_subscribers_name_only_topics_that_exist() -> None:
    slugs = {topic.slug for topic in TOPICS}
    assert len(slugs) == 9
    assert all(follows(subscriber) <= slugs for subscriber in SUBSCRIBERS)


def test_the_audience_has_its_special_cases() -> None:
    sizes = {subscriber["email"]: len(follows(subscriber)) for subscriber in SUBSCRIBERS}
    addresses = Counter(address.casefold() for address in sizes)
    assert len(SUBSCRIBERS) == 16
    assert sizes["ada.fenwick@example.org"] == 9
    assert sizes["jonas.wren@example.org"] == 0
    assert [s["email"] for s in SUBSCRIBERS if follows(s) == {"oceans"}] == ["imogen.salt@example.net"]
    assert [address for address, count in addresses.items() if count > 1] == ["carmen.ilves@example.net"]


def test_every_subscriber_has_an_example_address_and_a_real_zone() -> None:
    for subscriber in SUBSCRIBERS:
        assert re.fullmatch(r"[\w.+]+@example\.(?:org|com|net)", subscriber["email"].lower())
        assert ZoneInfo(subscriber["timezone"])
        assert subscriber["language"] in ("en", "de", "fr", "es")
