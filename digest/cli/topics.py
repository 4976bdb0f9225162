"""`digest topic`: what subscribers follow, and the rule that says which articles belong to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from digest.cli.arguments import Slug, within
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_record, show_table
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.domain.topics import slug as as_slug
from digest.runtime import Runtime
from digest.store.database import reading, writing
from digest.store.newsletters import add_topic, get_newsletter, get_topic, list_topics, remove_topic
from digest.store.sources import list_sources

app = new_app()

TopicName = Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's short name.")]


@app.command(
    epilog=examples(
        "digest topic add harbour-week climate --name 'Climate & energy' \\",
        "    --phrase 'heat pump' --phrase emissions --category environment",
    )
)
def add(
    newsletter: Slug,
    topic: TopicName,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The name readers see; without it the short name.")
    ] = "",
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="What it is about, for the sign-up page.")
    ] = "",
    phrase: Annotated[
        list[str] | None,
        typer.Option(metavar="WORDS", help="A word or phrase that says so, whole words. Repeat it."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="A label that feeds give such articles. Repeat it."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A source whose every article belongs here. Repeat it."),
    ] = None,
) -> None:
    """Add a topic to a newsletter."""
    rule = TopicRule(_said(phrase), _said(category), _said(source))
    if rule == TopicRule():
        raise InvalidInput(
            f"topic '{topic}' would match nothing: give it a --phrase, --category or --source at least"
        )
    slug = TopicSlug(within(as_slug(topic), "the short name", limit=64))
    label = within(name.strip() or slug.replace("-", " ").capitalize(), "--name", limit=200)
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        add_topic(
            session, found.id, Topic(slug, label, within(description, "--description", limit=1000), rule)
        )
        missing = set(rule.sources) - {known.name for known in list_sources(session, found.id)}
    _match_anew(runtime, found)
    say(f"Added topic {slug}.")
    for one in sorted(missing):
        say(f"There is no source '{one}' yet: 'digest source add {newsletter} URL --name '{one}''.")


def _said(values: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.strip() for value in values or () if value.strip()))


def _match_anew(runtime: Runtime, newsletter: Newsletter) -> None:
    """Let the articles that an issue may still carry be matched by the changed rules."""
    from digest.condense.steps import condense_again

    since = runtime.clock() - timedelta(days=newsletter.window_days * 2)
    condense_again(runtime.engine, newsletter, since=since)


@app.command("list")
def list_(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's topics, in the order of its sections."""
    with reading(open_runtime().engine) as session:
        topics = list_topics(session, get_newsletter(session, newsletter).id)
    if as_json:
        show_json(topics)
        return
    show_table(
        ("topic", "name", "phrases", "labels", "sources"),
        [
            (
                t.slug,
                t.name,
                ", ".join(t.rule.phrases),
                ", ".join(t.rule.categories),
                ", ".join(t.rule.sources),
            )
            for t in topics
        ],
        empty=f"No topic yet: add one with 'digest topic add {newsletter} …'.",
    )


@app.command()
def show(newsletter: Slug, topic: TopicName, as_json: JsonOption = False) -> None:
    """Show one topic and its rule."""
    with reading(open_runtime().engine) as session:
        found = get_topic(session, get_newsletter(session, newsletter).id, topic)
    if as_json:
        show_json(found)
        return
    rows = [
        ("name", found.name),
        ("description", found.description),
        ("phrases", ", ".join(found.rule.phrases)),
        ("labels", ", ".join(found.rule.categories)),
        ("sources", ", ".join(found.rule.sources)),
    ]
    show_record(found.slug, rows)


@app.command()
def remove(newsletter: Slug, topic: TopicName) -> None:
    """Remove a topic, and with it every follow of it."""
    runtime = open_runtime()
    with writing(runtime.engine) as session:
        found = get_newsletter(session, newsletter)
        remove_topic(session, found.id, topic)
    _match_anew(runtime, found)
    say(f"Removed topic {topic}.")
