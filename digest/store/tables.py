"""Every table, imported in one place so that the metadata is whole."""

from digest.store import (
    answers,
    archive,
    articles,
    audiences,
    condensed,
    condensings,
    contents,
    decisions,
    deliveries,
    hosts,
    issues,
    links,
    newsletters,
    outages,
    pins,
    schedules,
    sources,
    spending,
    subscribers,
    topic_models,
    verdicts,
)
from digest.store.base import Base

__all__ = [
    "answers",
    "archive",
    "articles",
    "audiences",
    "condensed",
    "condensings",
    "contents",
    "decisions",
    "deliveries",
    "hosts",
    "issues",
    "links",
    "metadata",
    "newsletters",
    "outages",
    "pins",
    "schedules",
    "sources",
    "spending",
    "subscribers",
    "topic_models",
    "verdicts",
]

metadata = Base.metadata
