"""Give stored articles their topics: anew after a change of rules, at once after an editor's verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.condense.topics.belonging import Grounds, topics_of
from digest.condense.topics.learned import FORMAT, UNLEARNED, Model
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.topics import TopicMatch, TopicSlug, Verdict
from digest.store.articles import ArticleId, articles_by_id
from digest.store.condensed import topics_by_article
from digest.store.database import reading, writing
from digest.store.newsletters import get_topic, list_topics, topic_ids
from digest.store.sources import sources_ever
from digest.store.topic_models import StoredModel, find_model, keep_model
from digest.store.verdicts import (
    condensed_since,
    judged_articles,
    record_verdicts,
    replace_topics,
    verdicts_on,
    withdraw_verdicts,
)

JUDGED_MAX = 1_000
"""Older verdicts than those on so many articles teach nothing new: learning takes seconds as it is."""
NEWS = 0.05
"""It learns anew when so large a part of what it learned from is new or changed."""


def read_grounds(session: Session, newsletter_id: NewsletterId, ids: Sequence[ArticleId]) -> Grounds:
    """Return what decides the topics of these articles of a newsletter."""
    stored = find_model(session, newsletter_id)
    return Grounds(
        topics=list_topics(session, newsletter_id),
        defaults={source.name: source.topics for source in sources_ever(session, newsletter_id)},
        verdicts=verdicts_on(session, ids),
        model=Model.from_json(stored.told) if stored else UNLEARNED,
    )


def match_again(engine: Engine, newsletter: Newsletter, *, since: datetime) -> int:
    """Match the condensed articles published since then anew, as after a change of rules; return how many.

    Takeaways stay as they are. What is not condensed yet gets its topics when it is.
    """
    with writing(engine) as session:
        return _match_again(session, newsletter.id, condensed_since(session, newsletter.id, since=since))


def _match_again(session: Session, newsletter_id: NewsletterId, ids: Sequence[ArticleId]) -> int:
    grounds = read_grounds(session, newsletter_id, ids)
    numbers = topic_ids(session, newsletter_id)
    known = topics_by_article(session, ids)
    for stored in articles_by_id(session, ids).values():
        matches = topics_of(stored, grounds)
        # One rule changes what a few articles belong to: all others stay as they are stored.
        if set(matches) != set(known.get(stored.id, ())):
            replace_topics(session, stored.id, matches, topic_ids=numbers)
    return len(ids)


def decide(
    engine: Engine,
    newsletter: Newsletter,
    article_id: ArticleId,
    *,
    add: Collection[str] = (),
    remove: Collection[str] = (),
    undo: Collection[str] = (),
    by: str,
    now: datetime,
) -> tuple[TopicMatch, ...]:
    """Record an editor's verdicts on an article and return the topics it has from now on.

    `undo` takes back what was said of topics, so that the rules decide again. Raises `NotFound` for an
    unknown topic, `InvalidInput` for one that is named twice.
    """
    named = [*add, *remove, *undo]
    twice = sorted({slug for slug in named if named.count(slug) > 1})
    if twice:
        raise InvalidInput(f"topic '{twice[0]}' is named twice: say one thing of it")
    with writing(engine) as session:
        for slug in named:
            get_topic(session, newsletter.id, slug)
        numbers = topic_ids(session, newsletter.id)
        verdicts = [Verdict(TopicSlug(slug), slug in add, by) for slug in (*add, *remove)]
        record_verdicts(session, article_id, verdicts, topic_ids=numbers, now=now)
        undone = list(map(TopicSlug, undo))
        withdraw_verdicts(session, article_id, undone, topic_ids=numbers, by=by, now=now)
        _match_again(session, newsletter.id, [article_id])
        grounds = read_grounds(session, newsletter.id, [article_id])
        return topics_of(articles_by_id(session, [article_id])[article_id], grounds)


def learn(engine: Engine, newsletter: Newsletter) -> bool:
    """Learn from editors' verdicts when enough of them are new or changed; return whether that was so.

    Looked at are those on the newest `JUDGED_MAX` articles. The libraries that learn are imported only then.
    """
    with reading(engine) as session:
        ids = judged_articles(session, newsletter.id)[-JUDGED_MAX:]
        labels = labels_of(verdicts_on(session, ids))
        known = find_model(session, newsletter.id)
        if not is_worth_learning(labels, known):
            return False
        stored = articles_by_id(session, ids)
        # What was learned before would only hear itself.
        grounds = replace(read_grounds(session, newsletter.id, ids), model=UNLEARNED)
    from digest.condense.topics.learning import learn_topics

    model = learn_topics([stored[one] for one in ids], grounds)
    with writing(engine) as session:
        keep_model(session, newsletter.id, StoredModel(tuple(sorted(labels)), model.to_json()))
    return True


def is_worth_learning(labels: Set[str], known: StoredModel | None) -> bool:
    """Tell whether enough of what editors said is new or changed since `known` was learned."""
    changed = labels ^ set(known.learned_from if known else ())
    return bool(changed) and len(changed) >= NEWS * len(labels)


def labels_of(verdicts: Mapping[ArticleId, Sequence[Verdict]]) -> set[str]:
    """Return what was said, a text each; what another version learned of it has to be learned anew."""
    return {
        f"{FORMAT} {article_id} {verdict.slug} {'yes' if verdict.is_yes else 'no'}"
        for article_id, said in verdicts.items()
        for verdict in said
    }
