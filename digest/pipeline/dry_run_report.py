"""What a run would come to, in numbers: for a page that shows it and for programs.

Unlike a dry run on the command line it lists no readers. They are counted where they are, so that none of a
million is copied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sqlalchemy import Engine

from digest.compose.audience import audience_of
from digest.compose.select import LeftOut
from digest.compose.steps import Pieces, content_of, pieces_of
from digest.domain.dry_runs import Found, ItemFound, SourceFound
from digest.domain.issues import Issue, IssueState
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window
from digest.pipeline.outlook import EDITIONS_MOST, shares_of, skipped_of
from digest.pipeline.preflight import check_pieces, preflight_told
from digest.pipeline.run import Run, empty_week, fill
from digest.pipeline.stage_words import condensed_in_words, gathered_in_words
from digest.pipeline.watch import Watch
from digest.runtime import Runtime
from digest.store.condensed import candidates_in
from digest.store.database import reading
from digest.store.issues import find_issue
from digest.store.newsletters import list_topics
from digest.store.rehearsal import rehearsal

_OVER = (IssueState.SENDING, IssueState.SENT, IssueState.CANCELLED)


def try_run(runtime: Runtime, newsletter: Newsletter, window: Window, *, watch: Watch) -> Found:
    """Run the chain for these days on a copy, and say what it would come to. Nothing is written or sent.

    Raises `Unavailable` and `Misconfigured`.
    """
    with reading(runtime.engine) as session:
        issue = find_issue(session, newsletter.id, window)
    if issue is not None and (issue.state in _OVER or issue.sending_at is not None):
        return Found(_over(issue))
    with rehearsal(runtime.engine, newsletter.id, with_readers=False) as copy:
        run = Run(newsletter, window)
        fill(runtime, copy, run, watch)
        found = _so_far(copy, run)
        if run.issue is None:
            left_out = run.composed.left_out if run.composed else ()
            outcome = "no issue would be made and nobody mailed"
            return replace(found, note=empty_week(newsletter, window, run.polled, left_out, outcome=outcome))
        pieces = pieces_of(copy, run.issue.id, template_of=runtime.template)
        return _with_readers(runtime, copy, found, pieces)


def _over(issue: Issue) -> str:
    then = (
        "a run would make no other of the same days"
        if issue.state is IssueState.CANCELLED
        else "a run would send nothing again"
    )
    return f"issue {issue.id} of these days is {issue.state} already: {then}"


def _so_far(copy: Engine, run: Run) -> Found:
    """Return what gathering, condensing and composing came to."""
    with reading(copy) as session:
        stored = [one.stored for one in candidates_in(session, run.newsletter.id, run.window)]
    left_out: tuple[LeftOut, ...] = run.composed.left_out if run.composed else ()
    return Found(
        note="",
        gathered=gathered_in_words(run.polled) if run.polled else "",
        condensed=condensed_in_words(run.condensed) if run.condensed else "",
        sources=tuple(SourceFound(one.source, one.listed, one.new, one.error) for one in run.polled),
        articles=len(stored),
        stories=len({one.story_id or one.id for one in stored}),
        left_out=tuple(Counter(one.reason for one in left_out).most_common()),
    )


def _with_readers(runtime: Runtime, copy: Engine, found: Found, pieces: Pieces) -> Found:
    audience = audience_of(runtime.engine, pieces, now=runtime.clock())
    on_copy = runtime.with_database(copy)
    checked = check_pieces(on_copy, pieces, audience, editions_most=EDITIONS_MOST)
    with reading(copy) as session:
        names = {topic.slug: topic.name for topic in list_topics(session, pieces.newsletter.id)}
    with reading(runtime.engine) as session:
        skipped = skipped_of(session, pieces, audience)
    counts = Counter(topic for topics in pieces.outline.items for topic in topics)
    items = content_of(copy, pieces.issue.id).items
    return replace(
        found,
        note=_note(pieces.issue),
        topics=tuple((names.get(slug, slug), counts[slug]) for slug in pieces.outline.topics),
        items=tuple(
            ItemFound(
                one.title, one.source, tuple(names.get(slug, slug) for slug in one.topics), len(one.takeaways)
            )
            for one in items
        ),
        readers=shares_of(audience),
        skipped={reason.value: count for reason, count in skipped.items()},
        spared=audience.spared,
        checks=preflight_told(checked),
        errors=len(checked.errors),
    )


def _note(issue: Issue) -> str:
    if issue.state is IssueState.DRAFT:
        return "this is what a run would make of the days as they stand now"
    return (
        f"the issue of these days is {issue.state} already: a run would send it as it is, and gather nothing"
    )
