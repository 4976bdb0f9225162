"""`digest topic`: what subscribers follow, and the rule that says which articles belong to it."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.arguments import Slug, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_record, show_table
from digest.cli.topic_rules import Categories, Phrases, Query, Sources, amended, show_trial
from digest.domain.errors import InvalidInput
from digest.domain.topics import TopicSlug
from digest.domain.topics import slug as as_slug
from digest.pipeline.forgetting import is_anything_to_forget
from digest.pipeline.managing import topics as managing
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, get_topic, list_topics

app = new_app()

TopicName = Annotated[str, typer.Argument(metavar="TOPIC", help="The topic's short name.")]
Parent = Annotated[
    str | None,
    typer.Option("--parent", metavar="TOPIC", help="The topic it is part of: its articles belong there too."),
]


@app.command(
    epilog=examples(
        "digest topic add harbour-week climate --name 'Climate & energy' \\",
        "    --phrase 'heat pump' --phrase emissions --category environment",
        "digest topic add harbour-week grid --parent climate --query 'grid NOT \"starting grid\"'",
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
    phrase: Phrases = None,
    category: Categories = None,
    source: Sources = None,
    query: Query = None,
    parent: Parent = None,
) -> None:
    """Add a topic to a newsletter."""
    given = _given(name, description, phrase, category, source, query, parent)
    added, missing = managing.add(
        open_runtime(), newsletter, {"slug": topic, **given}, by=decided_by(""), called=_option
    )
    say(f"Added topic {added.slug}.")
    for one in missing:
        say(f"There is no source '{one}' yet: 'digest source add {newsletter} URL --name '{one}''.")


def _given(
    name: str | None,
    description: str | None,
    phrases: list[str] | None,
    categories: list[str] | None,
    sources: list[str] | None,
    query: str | None,
    parent: str | None,
) -> dict[str, object]:
    """Return what was named of a topic, by its fields."""
    given: dict[str, object] = {
        "name": name,
        "description": description,
        "phrases": phrases,
        "categories": categories,
        "sources": sources,
        "query": query,
        "parent": parent,
    }
    return {field: value for field, value in given.items() if value is not None}


def _option(field: str) -> str:
    """Return what a field is called on the command line."""
    return {"phrases": "--phrase", "categories": "--category", "sources": "--source"}.get(field, f"--{field}")


@app.command(
    epilog=examples(
        "digest topic test harbour-week climate --query 'energy NOT drink'",
        "digest topic change harbour-week climate --query 'energy NOT drink'",
        "digest topic change harbour-week grid --parent climate",
    )
)
def change(
    newsletter: Slug,
    topic: TopicName,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name readers see.")] = None,
    description: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is about, for the sign-up page.")
    ] = None,
    phrase: Phrases = None,
    category: Categories = None,
    source: Sources = None,
    query: Query = None,
    parent: Parent = None,
) -> None:
    """Change a topic; what is not named stays, and so does who follows it. '' takes something away."""
    given = _given(name, description, phrase, category, source, query, parent)
    if not managing.change(
        open_runtime(), newsletter, topic, lambda _: given, by=decided_by(""), called=_option
    ):
        raise InvalidInput("there is nothing to change: 'digest topic show' shows how the topic stands")
    say(f"Changed topic {topic}. The next 'digest compose {newsletter}' or run goes by it.")


@app.command(
    "test",
    epilog=examples(
        "digest topic test harbour-week climate",
        "digest topic test harbour-week climate --query '\"heat pump\"^2 OR title:grid NOT motorsport'",
    ),
)
def try_(
    newsletter: Slug,
    topic: TopicName,
    query: Query = None,
    phrase: Phrases = None,
    category: Categories = None,
    source: Sources = None,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=365, help="Look at the articles of so many days.")
    ] = 14,
    as_json: JsonOption = False,
) -> None:
    """Show what a topic's rule matches, or would if changed so, and how that alters this week's issue.

    What is not named stays, as 'digest topic change' has it; '' takes something away.
    """
    from digest.pipeline.topic_trial import try_topic

    given = (phrase, category, source, query)
    is_proposed = any(part is not None for part in given)
    propose = (lambda rule: amended(rule, *given)) if is_proposed else None
    trial = try_topic(open_runtime(), newsletter, TopicSlug(as_slug(topic)), propose, days=days)
    if as_json:
        show_json(trial)
        return
    show_trial(trial, days, is_proposed=is_proposed)


@app.command("list")
def list_(newsletter: Slug, as_json: JsonOption = False) -> None:
    """List a newsletter's topics, in the order of its sections."""
    with reading(open_runtime().engine) as session:
        topics = list_topics(session, get_newsletter(session, newsletter).id)
    if as_json:
        show_json(topics)
        return
    show_table(
        ("topic", "name", "part of", "phrases", "labels", "sources", "query"),
        [
            (
                t.slug,
                t.name,
                t.parent or "",
                ", ".join(t.rule.phrases),
                ", ".join(t.rule.categories),
                ", ".join(t.rule.sources),
                t.rule.query,
            )
            for t in topics
        ],
        empty=f"No topic yet: add one with 'digest topic add {newsletter} …'.",
    )


@app.command()
def show(newsletter: Slug, topic: TopicName, as_json: JsonOption = False) -> None:
    """Show one topic and its rule."""
    from digest.condense.topics.query import as_query

    with reading(open_runtime().engine) as session:
        found = get_topic(session, get_newsletter(session, newsletter).id, topic)
    if as_json:
        show_json(found)
        return
    rows = [
        ("name", found.name),
        ("description", found.description),
        ("part of", found.parent or ""),
        ("phrases", ", ".join(found.rule.phrases)),
        ("labels", ", ".join(found.rule.categories)),
        ("sources", ", ".join(found.rule.sources)),
        ("query", found.rule.query),
        ("in all", as_query(found.rule)),
    ]
    show_record(found.slug, rows)


@app.command(epilog=examples("digest topic learned harbour-week"))
def learned(newsletter: Slug, as_json: JsonOption = False) -> None:
    """Show what was learned of each topic from what editors decided, and how well it is told."""
    from digest.condense.topics.lessons import lessons

    engine = open_runtime().engine
    with reading(engine) as session:
        found = get_newsletter(session, newsletter)
    told = lessons(engine, found)
    if as_json:
        show_json(told)
        return
    show_table(
        ("topic", "for", "against", "right", "found", "words, or why it does not speak"),
        [
            (
                one.topic,
                one.yes,
                one.no,
                _share(one.precision),
                _share(one.recall),
                f"does not speak yet: {one.why_not}" if one.why_not else ", ".join(one.words),
            )
            for one in told
        ],
        empty=f"No topic yet: add one with 'digest topic add {newsletter} …'.",
    )
    if not all(one.why_not for one in told):
        say(
            "Of articles it had not seen: right, of those it put into the topic; found, of those that belong."
        )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


@app.command(epilog=examples("digest topic move harbour-week climate 1"))
def move(
    newsletter: Slug,
    topic: TopicName,
    place: Annotated[
        int, typer.Argument(metavar="PLACE", help="The place it is to have, counted from 1, the first.")
    ],
) -> None:
    """Let a topic stand at another place among the sections of an issue; the others keep their order."""
    order = managing.move_to(open_runtime(), newsletter, topic, place, by=decided_by(""))
    say(f"The topics of {newsletter}, in order: {', '.join(order)}.")


@app.command()
def remove(newsletter: Slug, topic: TopicName) -> None:
    """Remove a topic, and with it every follow of it."""
    runtime = open_runtime()
    managing.remove(runtime, newsletter, topic, by=decided_by(""))
    say(f"Removed topic {topic}.")
    if is_anything_to_forget(runtime):
        say("Many followed it: a worker forgets their follows within minutes. Nobody follows it from now on.")
