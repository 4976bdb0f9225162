"""A draft put into words for its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from digest.compose.edits import mark_of
from digest.compose.lawful import LONGEST
from digest.compose.select import LeftOut
from digest.compose.shape import Shape
from digest.compose.steps import source_name
from digest.compose.untrusted import find_link, plain
from digest.condense.editing import LENGTH_MAX, TAKEAWAYS_MAX
from digest.domain.accounts import Actor, Right
from digest.domain.articles import Article, Origin, Takeaway, reading_minutes
from digest.domain.issues import IssueState
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.pipeline.drafts import Draft, Drafted
from digest.pipeline.history import Act, acts_of, stack_of
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate
from digest.store.condensings import Versions
from digest.store.edits import About, Edit, Field
from digest.store.issue_segments import Named, why_not
from digest.web.draft.views import (
    ActView,
    ArticleView,
    BarView,
    BoardView,
    CardView,
    DroppedView,
    FieldView,
    HeadView,
    LeftOutView,
    OthersView,
    ReportView,
    SectionView,
    SupportView,
    TopicView,
)
from digest.web.words import counted, day, days, state_of

OTHERS_SHOWN = 300
"""Articles that are not in it, listed: of thousands nobody reads more."""

CHANGEABLE = (IssueState.DRAFT, IssueState.APPROVED)

_ORIGINS = {
    Origin.PUBLISHER: "the publisher's own",
    Origin.EXTRACTIVE: "taken from the text",
    Origin.LLM: "written by a language model",
    Origin.EDITOR: "an editor's",
}

_TEXTS: Mapping[Field, tuple[str, str, str, int]] = {
    Field.SUBJECT: ("Subject", "Empty: each reader's mail names its own first article.", "", 1),
    Field.PREHEADER: (
        "Preheader",
        "The grey line that inboxes show after the subject. Empty: it names the next articles.",
        "",
        1,
    ),
    Field.INTRO: ("Intro", "A few lines above the articles, as you would write them by hand.", "", 4),
}


def head_of(draft: Draft, actor: Actor) -> HeadView:
    """Return which issue it is, and whether `actor` may change it."""
    issue, newsletter = draft.issue, draft.newsletter
    return HeadView(
        id=issue.id,
        days=days(*issue.window.local_days(zone(newsletter.timezone))),
        newsletter=newsletter.name,
        newsletter_slug=newsletter.slug,
        state=state_of(issue),
        approved=issue.approved_by if issue.state is IssueState.APPROVED else "",
        can_shape=actor.may(Right.SHAPE) and issue.state in CHANGEABLE,
    )


def texts_of(draft: Draft) -> tuple[FieldView, ...]:
    """Return the issue's own texts to write."""
    return tuple(text_of(draft, field) for field in _TEXTS)


def text_of(draft: Draft, field: Field) -> FieldView:
    """Return one of the issue's own texts to write."""
    label, hint, placeholder, lines = _TEXTS[field]
    value = draft.standing[About(field)]
    return FieldView(field.value, label, hint, value, mark_of(value), placeholder, LONGEST[field], lines)


_LIMITS: Mapping[Field, tuple[str, str, str]] = {
    Field.ONLY: ("For", "all readers", "Of a segment, those alone whom it fits when the issue is addressed."),
    Field.WITHOUT: ("Without", "nobody is left out", "Whom it fits then gets nothing of this issue."),
}


def limits_of(draft: Draft) -> tuple[tuple[FieldView, tuple[TopicView, ...]], ...]:
    """Return whom the issue is for, to choose: each with the segments there are. Empty: there are none."""
    if not draft.segments:
        return ()
    return tuple((limit_of(draft, field), _segments(draft, field)) for field in _LIMITS)


def limit_of(draft: Draft, field: Field) -> FieldView:
    """Return one of the two choices that say whom the issue is for."""
    label, _, hint = _LIMITS[field]
    value = draft.standing.get(About(field), "")
    return FieldView(field.value, label, hint, value, mark_of(value))


def _segments(draft: Draft, field: Field) -> tuple[TopicView, ...]:
    chosen = draft.standing.get(About(field), "")
    everybody = TopicView("", _LIMITS[field][1], not chosen)
    return (
        everybody,
        *(
            TopicView(one.slug, one.name, one.slug == chosen)
            for one in draft.segments
            if one.slug == chosen or not why_not(field, Named.of(one))
        ),
    )


def board_of(draft: Draft, actor: Actor) -> BoardView:
    """Return all articles under their topics, in the newsletter's order; those of no topic come last."""
    names = {topic.slug: topic.name for topic in draft.topics}
    wanted = [*((topic.slug, topic.name) for topic in draft.topics), (None, "Of no topic: nobody gets these")]
    sections = []
    for slug, name in wanted:
        under = draft.under(slug)
        if under or slug is not None:
            cards = tuple(
                card_of(draft, item, names, is_first=item is under[0], is_last=item is under[-1])
                for item in under
            )
            sections.append(SectionView(slug or "", name, counted(len(cards), "article"), cards))
    return BoardView(
        bar=bar_of(draft, actor),
        sections=tuple(sections),
        dropped=_all_dropped(draft),
        count=counted(len(draft.items), "article"),
    )


def bar_of(draft: Draft, actor: Actor) -> BarView:
    """Return what was done, and what `actor` may undo and redo next."""
    stack = stack_of(draft.edits, actor.name)
    told = {act.number: act.in_words for act in acts_of(draft.edits, titles_of(draft))}
    return BarView(
        last=draft.last_edit,
        held=mark_of(",".join(str(item.id) for item in draft.items)),
        changes=counted(len(told), "change") if told else "",
        undo=told.get(stack.undo or 0, ""),
        redo=told.get(stack.redo or 0, "").removeprefix("took back: "),
    )


def done(draft: Draft, edits: Sequence[Edit]) -> str:
    """Return what was just done, to be told to whoever did it; '' where nothing was new."""
    acts = acts_of(edits, titles_of(draft), before=draft.edits)
    return f"You {acts[0].in_words}." if acts else ""


def titles_of(draft: Draft) -> dict[ArticleId | None, str]:
    """Return the publishers' headlines of the articles that are in the draft or were dropped."""
    held = [one for item in draft.items for one in (item.candidate, *item.others)]
    return {one.stored.id: plain(one.stored.article.title) for one in (*held, *draft.dropped)}


def card_of(
    draft: Draft, item: Drafted, names: Mapping[TopicSlug, str], *, is_first: bool, is_last: bool
) -> CardView:
    """Return an article in a line or two of everything."""
    candidate, article, shape = item.candidate, item.candidate.stored.article, draft.shape
    title = plain(shape.headline(candidate)) or source_name(candidate)
    theirs = plain(article.title)
    return CardView(
        id=item.id,
        title=title,
        theirs=theirs if theirs != title else "",
        url=find_link(article.url),
        about=_about(draft, candidate),
        language=article.language,
        takeaways=tuple(plain(takeaway.text) for takeaway in _shown(draft, candidate)),
        why_none=candidate.why_none,
        topics=tuple(names[match.slug] for match in item.moved.topics[1:] if match.slug in names),
        score=f"{item.chosen.score:.2f}",
        why=tuple(f"{part.points:+.2f} {plain(part.reason)}" for part in item.chosen.parts),
        notes=_notes(shape, item),
        others=tuple(_report(other) for other in item.others),
        is_pinned=shape.pin(item.id) is not None,
        is_first=is_first,
        is_last=is_last,
        seen=_mark(draft, Field.WISH, item.id),
    )


def _about(draft: Draft, candidate: Candidate) -> str:
    article = candidate.stored.article
    published_at = article.published_at or candidate.stored.first_seen_at
    on = day(published_at.astimezone(zone(draft.newsletter.timezone)).date())
    return f"{plain(source_name(candidate))} · {on} · {reading_minutes(article.word_count)} min"


def _shown(draft: Draft, candidate: Candidate) -> tuple[Takeaway, ...]:
    """Return the takeaways that readers get: as many as the newsletter wants, or as the editor does."""
    return candidate.takeaways if candidate.is_edited else candidate.takeaways[: draft.newsletter.takeaways]


def _notes(shape: Shape, item: Drafted) -> tuple[str, ...]:
    """Say what editors did to an article, as its card shows it."""
    said = (
        (shape.pin(item.id), "pinned by {}"),
        (shape.places.get(item.id), "put here by {}"),
        (shape.topics.get(item.id), "moved to this topic by {}"),
        (shape.headlines.get(item.id), "headline by {}"),
        (shape.leads.get(item.id), "chosen to lead by {}"),
    )
    notes = [words.format(one.by) for one, words in said if one]
    return (*notes, "takeaways by an editor") if item.candidate.is_edited else tuple(notes)


def _report(candidate: Candidate) -> ReportView:
    article = candidate.stored.article
    return ReportView(
        candidate.stored.id, plain(article.title), plain(source_name(candidate)), find_link(article.url)
    )


def _all_dropped(draft: Draft) -> tuple[DroppedView, ...]:
    """Return what was dropped, one for each story."""
    seen: set[ArticleId] = set()
    views = []
    for candidate in draft.dropped:
        if candidate.stored.id not in seen:
            seen.update(draft.dropped_with(candidate.stored.id))
            views.append(_dropped(draft, candidate))
    return tuple(views)


def _dropped(draft: Draft, candidate: Candidate) -> DroppedView:
    article_id = candidate.stored.id
    return DroppedView(
        article_id,
        plain(candidate.stored.article.title) or source_name(candidate),
        draft.shape.wishes[article_id].by,
        _mark(draft, Field.WISH, article_id),
    )


def others_of(draft: Draft, left_out: Sequence[LeftOut]) -> OthersView:
    """Return what is not in the draft and why: what was left for want of room first, as it may be wanted."""
    wanted = sorted(left_out, key=lambda one: (not one.reason.startswith("over the limit"), one.reason))
    return OthersView(
        topics=tuple(TopicView(one.slug, one.name, is_chosen=False) for one in draft.topics),
        shown=tuple(
            LeftOutView(
                one.article_id,
                plain(one.title),
                plain(one.reason),
                _mark(draft, Field.WISH, one.article_id),
                draft.shape.drop(one.article_id) is not None,
            )
            for one in wanted[:OTHERS_SHOWN]
        ),
        count=counted(len(wanted), "article"),
        is_cut=len(wanted) > OTHERS_SHOWN,
    )


def _mark(draft: Draft, field: Field, article_id: ArticleId) -> str:
    return mark_of(draft.standing.get(About(field, article_id), ""))


def article_of(draft: Draft, item: Drafted, versions: Versions | None) -> ArticleView:
    """Return an article to work on; `versions` is None where it was not condensed yet."""
    names = {topic.slug: topic.name for topic in draft.topics}
    current = versions.current if versions else None
    programs = [one for one in versions.kept if not one.made_by] if versions else []
    made = programs[-1] if programs and current and current.made_by else None
    article = item.candidate.stored.article
    return ArticleView(
        card=card_of(draft, item, names, is_first=True, is_last=True),
        headline=headline_of(draft, item),
        takeaways=takeaways_of(item),
        topic=topic_of(draft, item),
        topics=tuple(TopicView(one.slug, one.name, one.slug == item.topic) for one in draft.topics),
        support=tuple(support_of(one, article) for one in item.candidate.takeaways),
        before=tuple(support_of(one, article) for one in made.condensed.takeaways) if made else (),
        edited_by=current.made_by if current else "",
    )


def headline_of(draft: Draft, item: Drafted) -> FieldView:
    """Return an article's headline to write."""
    value = draft.standing.get(About(Field.HEADLINE, item.id), "")
    theirs = plain(item.candidate.stored.article.title)
    hint = "Empty: the publisher's. It is for this issue only."
    return FieldView(
        Field.HEADLINE, "Headline", hint, value, mark_of(value), theirs, LONGEST[Field.HEADLINE], 1, item.id
    )


def takeaways_of(item: Drafted) -> FieldView:
    """Return an article's takeaways to write, one on a line."""
    value = "\n".join(takeaway.text for takeaway in item.candidate.takeaways)
    hint = f"One on a line, up to {TAKEAWAYS_MAX} of {LENGTH_MAX:,} characters. Empty: the program's again."
    lines = max(4, len(item.candidate.takeaways) * 2)
    return FieldView(Field.TAKEAWAYS, "Takeaways", hint, value, mark_of(value), "", None, lines, item.id)


def topic_of(draft: Draft, item: Drafted) -> FieldView:
    """Return the topic an article stands under, to choose."""
    mark = _mark(draft, Field.TOPIC, item.id)
    hint = "Readers of this topic get it, in place of those of the topic that it fits best."
    return FieldView(Field.TOPIC, "Topic", hint, item.topic or "", mark, article_id=item.id)


def support_of(takeaway: Takeaway, article: Article) -> SupportView:
    """Return a takeaway with who wrote it and what bears it out."""
    model = f" ({plain(takeaway.model)})" if takeaway.model else ""
    text = article.text
    sentences = tuple(plain(text[span.start : span.end]) for span in takeaway.support)
    return SupportView(
        plain(takeaway.text), _ORIGINS[takeaway.origin] + model, tuple(filter(None, sentences))
    )


def history_of(
    draft: Draft, titles: Mapping[ArticleId | None, str], *, can_shape: bool
) -> tuple[ActView, ...]:
    """Return all that was done, newest first."""
    latest = {edit.about: edit.number for edit in draft.edits}
    acts = acts_of(draft.edits, titles)
    return tuple(_act(act, latest, can_shape=can_shape) for act in reversed(acts))


def _act(act: Act, latest: Mapping[About, int], *, can_shape: bool) -> ActView:
    first = act.edits[0]
    is_words = first.about.field not in (Field.WISH, Field.PLACE, Field.LEAD)
    return ActView(
        number=act.number,
        at=moment(first.at),
        by=first.by,
        what=act.in_words,
        before=first.before if is_words else "",
        after=first.after if is_words else "",
        can_undo=can_shape and all(latest[edit.about] == edit.number for edit in act.edits),
    )


def moment(at: datetime) -> str:
    """Return `23 November, 07:15 UTC`."""
    return f"{day(at.date())}, {at:%H:%M} UTC"


def with_value(view: FieldView, value: str) -> FieldView:
    """Return a field with something else written in it."""
    return replace(view, value=value)
