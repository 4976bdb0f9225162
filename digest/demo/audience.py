"""The sample newsletter's topics and readers, for the demo and for trying things out."""

from __future__ import annotations

import tomllib
from importlib import resources

from digest.domain.topics import Topic, TopicRule, TopicSlug, slug


def sample_topics() -> tuple[Topic, ...]:
    """Return the nine topics in the newsletter's order. None of this week's articles is about the last."""
    tables = tomllib.loads(_read("topics.toml"))["topics"]
    return tuple(
        Topic(
            slug=TopicSlug(slug(table["slug"])),
            name=table["name"],
            description=table["description"],
            rule=TopicRule(
                phrases=tuple(table["phrases"]),
                categories=tuple(table["categories"]),
                sources=tuple(table.get("sources", ())),
            ),
        )
        for table in tables
    )


def sample_subscribers() -> str:
    """Return the readers as CSV: `email,name,topics,language,timezone`, topics separated by semicolons.

    Sixteen lines for fifteen readers: one address comes twice, in other letters. One reader follows
    everything, one only a topic without articles, one nothing.
    """
    return _read("subscribers.csv")


def _read(name: str) -> str:
    return (resources.files("digest.demo") / name).read_text(encoding="utf-8")
