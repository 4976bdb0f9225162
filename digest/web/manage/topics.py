"""Topics: what readers follow, in order; each with its rule, tried before it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response

from digest.condense.topics.query import as_query
from digest.domain.accounts import Right
from digest.domain.errors import InvalidInput, Unfit
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.domain.topics import slug as as_slug
from digest.pipeline.managing import topics as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.followers import MOST, MOST_OF_ONE, followers
from digest.store.newsletters import get_newsletter, get_topic, list_topics
from digest.store.sources import list_sources
from digest.web.access import TheActor, needs
from digest.web.dependencies import READ, ThePages, TheRuntime
from digest.web.error_pages import status_of
from digest.web.manage.forms import Form, TheTyped, Typed, form_of, refused, saved
from digest.web.manage.newsletters import Slug, to
from digest.web.manage.overview import standing
from digest.web.manage.trials import told_of, trial_of
from digest.web.manage.views import TopicLine, TrialView
from digest.web.manage.words import DONE, Choice, called
from digest.web.templating import Pages
from digest.web.words import counted

router = APIRouter()
LOOK, SHAPE = needs(Right.LOOK), needs(Right.SHAPE)
PATH = "/manage/newsletters/{slug}/topics"
NEW = "/manage/newsletters/{slug}/new-topic"

FIELDS = ("name", "description", "parent", "phrases", "categories", "sources", "query")
_BETWEEN = ","

TopicName = Annotated[str, Path(max_length=64)]


@router.api_route(PATH, methods=READ, dependencies=[LOOK])
def overview(runtime: TheRuntime, pages: ThePages, slug: Slug, done: str = "") -> HTMLResponse:
    """Show a newsletter's topics in the order of its sections."""
    return _list(runtime, pages, slug, done=DONE.get(done, ""))


@router.post(PATH, dependencies=[SHAPE])
def move(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Let a topic stand one place further up or down."""
    order, was = (typed.get(name).split(_BETWEEN) for name in ("order", "stood"))
    try:
        managing.move(runtime, as_slug(slug), order, was, by=actor.name)
    except InvalidInput as exc:
        return _list(runtime, pages, slug, status=status_of(exc), problem=str(exc))
    return to(pages, slug, "topic-moved", place="/topics")


@router.api_route(NEW, methods=READ, dependencies=[SHAPE])
def new(runtime: TheRuntime, pages: ThePages, slug: Slug) -> HTMLResponse:
    """Show the form of a topic that is not there yet."""
    return _page(runtime, pages, slug, "", form_of({}))


@router.post(NEW, dependencies=[SHAPE])
def add(runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug) -> Response:
    """Add a topic."""
    given = typed.of((*FIELDS, "slug"), ["sources"])
    try:
        managing.add(runtime, as_slug(slug), given.texts, by=actor.name, called=called)
    except InvalidInput as exc:
        return _page(runtime, pages, slug, "", refused(given.texts, {}, exc))
    return to(pages, slug, "topic-added", place="/topics")


@router.post(f"{NEW}/try", dependencies=[SHAPE])
def try_new(runtime: TheRuntime, pages: ThePages, typed: TheTyped, slug: Slug) -> HTMLResponse:
    """Show what the rule of a new topic would match."""
    return _tried(runtime, pages, slug, "", typed, (*FIELDS, "slug"))


@router.api_route(PATH + "/{topic}", methods=READ, dependencies=[LOOK])
def topic(runtime: TheRuntime, pages: ThePages, slug: Slug, topic: TopicName, done: str = "") -> HTMLResponse:
    """Show one topic and its rule."""
    stored = _topic(runtime, slug, topic)
    return _page(runtime, pages, slug, stored.slug, form_of(managing.texts_of(stored)), done=done)


@router.post(PATH + "/{topic}", dependencies=[SHAPE])
def change(
    runtime: TheRuntime, pages: ThePages, actor: TheActor, typed: TheTyped, slug: Slug, topic: TopicName
) -> Response:
    """Change a topic; its follows stay."""
    form = saved(
        typed.of(FIELDS, ["sources"]),
        managing.texts_of,
        lambda propose: managing.change(
            runtime, as_slug(slug), as_slug(topic), propose, by=actor.name, called=called
        ),
    )
    if form:
        return _page(runtime, pages, slug, topic, form)
    return to(pages, slug, "topic-changed", place=f"/topics/{topic}")


@router.post(PATH + "/{topic}/try", dependencies=[SHAPE])
def try_(runtime: TheRuntime, pages: ThePages, typed: TheTyped, slug: Slug, topic: TopicName) -> HTMLResponse:
    """Show what the rule that was typed would match, before it is saved."""
    stored = _topic(runtime, slug, topic)
    return _tried(runtime, pages, slug, stored.slug, typed, FIELDS)


@router.post(PATH + "/{topic}/remove", dependencies=[SHAPE])
def remove(runtime: TheRuntime, pages: ThePages, actor: TheActor, slug: Slug, topic: TopicName) -> Response:
    """Remove a topic, and with it every follow of it."""
    managing.remove(runtime, as_slug(slug), as_slug(topic), by=actor.name)
    return to(pages, slug, "topic-removed", place="/topics")


def _tried(
    runtime: Runtime, pages: Pages, slug: str, topic: str, typed: Typed, names: Sequence[str]
) -> HTMLResponse:
    """Return the form as it was typed, with what its rule does; nothing is saved."""
    given = typed.of(names, ["sources"])
    form = Form(given.texts, typed.was)
    text = typed.get("sample")
    trial, told = None, ""
    tried = topic or typed.get("slug") or "new"
    try:
        trial = trial_of(runtime, as_slug(slug), tried, given.texts)
        told = told_of(runtime, as_slug(slug), tried, given.texts, text) if text else ""
    except Unfit as exc:
        form = replace(form, problems=exc.problems, status=status_of(exc))
    except InvalidInput as exc:
        form = replace(form, problems={"sample": str(exc)}, status=status_of(exc))
    form = replace(form, values={**form.values, "sample": text})
    return _page(runtime, pages, slug, topic, form, trial=trial, told=told)


def _topic(runtime: Runtime, slug: str, topic: str) -> Topic:
    with reading(runtime.engine) as session:
        return get_topic(session, get_newsletter(session, as_slug(slug)).id, as_slug(topic))


def _list(
    runtime: Runtime, pages: Pages, slug: str, *, status: int = 200, done: str = "", problem: str = ""
) -> HTMLResponse:
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        topics = list_topics(session, newsletter.id)
        counts = followers(session, newsletter.id)
    return pages.desk(
        "manage/topics.html",
        status=status,
        newsletter=standing(runtime, slug),
        tab="topics",
        topics=tuple(_lines(topics, {slug: _followed(count) for slug, count in counts.items()})),
        stood=_BETWEEN.join(topic.slug for topic in topics),
        problem=problem,
        done=done,
    )


def _lines(topics: Sequence[Topic], counts: dict[TopicSlug, str]) -> Iterator[TopicLine]:
    names = {topic.slug: topic.name for topic in topics}
    order = [topic.slug for topic in topics]
    for place, topic in enumerate(topics):
        rule = as_query(topic.rule) if topic.rule != TopicRule() else ""
        yield TopicLine(
            slug=topic.slug,
            name=topic.name,
            part_of=names.get(topic.parent, "") if topic.parent else "",
            rule=rule if len(rule) <= 160 else f"{rule[:159]}…",
            followers=counts[topic.slug],
            up=_swapped(order, place - 1) if place else "",
            down=_swapped(order, place) if place + 1 < len(order) else "",
        )


def _swapped(order: Sequence[TopicSlug], place: int) -> str:
    """Return the order with the topic at `place` and the one after it changed round."""
    return _BETWEEN.join((*order[:place], order[place + 1], order[place], *order[place + 2 :]))


def _followed(count: int, most: int = MOST) -> str:
    if count > most:
        return f"more than {most:,} follow it"
    return (
        "nobody follows it" if not count else f"{counted(count)} {'follows' if count == 1 else 'follow'} it"
    )


def _page(
    runtime: Runtime,
    pages: Pages,
    slug: str,
    topic: str,
    form: Form,
    *,
    done: str = "",
    trial: TrialView | None = None,
    told: str = "",
) -> HTMLResponse:
    """Return the page of a topic, '' for one that is not there yet."""
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, as_slug(slug))
        topics = list_topics(session, newsletter.id)
        sources = [source.name for source in list_sources(session, newsletter.id)]
        counts = followers(session, newsletter.id, only=topic, most=MOST_OF_ONE) if topic else {}
    named = form.values.get("sources", "").split("\n")
    stored = next((one for one in topics if one.slug == topic), None)
    return pages.desk(
        "manage/topic.html",
        status=form.status,
        newsletter=standing(runtime, slug),
        tab="topics",
        topic=stored.slug if stored else "",
        title=stored.name if stored else "A new topic",
        followers=_followed(counts[stored.slug], MOST_OF_ONE) if stored else "",
        form=form,
        parents=(Choice("", "nothing else"), *(Choice(t.slug, t.name) for t in topics if t.slug != topic)),
        sources=tuple(Choice(one, one) for one in dict.fromkeys((*sources, *filter(None, named)))),
        trial=trial,
        told=told,
        done=DONE.get(done, ""),
    )
