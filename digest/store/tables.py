"""Every table, imported in one place so that the metadata is whole."""

from digest.store import (
    answers,
    articles,
    audiences,
    condensed,
    condensings,
    deliveries,
    hosts,
    issues,
    letters,
    links,
    newsletters,
    outages,
    pins,
    schedules,
    sources,
    subscribers,
    topic_models,
    verdicts,
)
from digest.store.base import Base

__all__ = [
    "answers",
    "articles",
    "audiences",
    "condensed",
    "condensings",
    "deliveries",
    "hosts",
    "issues",
    "letters",
    "links",
    "metadata",
    "newsletters",
    "outages",
    "pins",
    "schedules",
    "sources",
    "subscribers",
    "topic_models",
    "verdicts",
]

metadata = Base.metadata
