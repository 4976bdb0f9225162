"""The labelled set is what the documentation says it is, and rules do better than keywords on it."""

from benchmarks.topics import by_keywords, by_rules, read_labelled, read_topics, timed, verdicts_of
from digest.condense.topics.belonging import Grounds
from digest.condense.topics.learned import Model
from digest.condense.topics.learning import learn_topics
from digest.condense.topics.query import parse_query


def test_there_are_over_two_hundred_articles_in_four_languages_some_of_no_topic() -> None:
    labelled = [*read_labelled("dev"), *read_labelled("test")]
    assert len(labelled) >= 200
    assert {one.stored.article.language for one in labelled} == {"en", "de", "fr", "es"}
    assert sum(not one.topics for one in labelled) >= 40
    slugs = {topic.slug for topic in read_topics()}
    assert {slug for one in labelled for slug in one.topics} == slugs
    titles = [one.stored.article.title for one in labelled]
    assert len(set(titles)) == len(titles)


def test_every_rule_can_be_read_and_is_more_precise_than_its_words() -> None:
    topics, held = read_topics(), read_labelled("test")
    for topic in topics:
        parse_query(topic.rule.query)
    assert timed(held, topics, by_rules(topics)).precision > 0.8
    assert timed(held, topics, by_keywords(topics)).precision < 0.5


def test_the_same_examples_teach_the_same() -> None:
    topics, labelled = read_topics()[:1], read_labelled("dev") + read_labelled("test", first_id=1_000)
    verdicts = verdicts_of(labelled, topics)
    stored = [one.stored for one in labelled]
    first, second = (learn_topics(stored, Grounds(topics, verdicts=verdicts)) for _ in range(2))
    assert first == second
    assert Model.from_json(first.to_json()) == first
