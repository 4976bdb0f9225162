"""An issue as one reader gets it, and the reason for each of its articles, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from digest.compose.checks import HTML_MAX_BYTES, check_page
from digest.compose.steps import Pieces, pieces_of
from digest.compose.untrusted import plain
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.mail import Page
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.domain.topics import Topic
from digest.pipeline.preview import (
    NotTheirTurn,
    Shown,
    page_to_look_at,
    shown_of,
    shown_to,
    source_to_look_at,
)
from digest.pipeline.reasons import Reasons, reasons_for
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import list_topics
from digest.web.preview.chosen import Look, Part, ReaderChosen, address, choices
from digest.web.preview.views import HeadView, MailView, PreviewView, ReasonView, SizeView
from digest.web.views import FindingView, TopicView
from digest.web.words import counted, days, state_of


def pieces(runtime: Runtime, issue_id: int) -> Pieces:
    """Return an issue's pieces: frozen ones, or a draft's as it stands. Raises `NotFound`."""
    return pieces_of(runtime.engine, issue_id, template_of=runtime.template)


def mail_page(runtime: Runtime, issue_id: int, reader: ReaderChosen) -> Page:
    """Return the mail a reader gets, its links leading nowhere. Raises as `shown_to` does."""
    return page_to_look_at(runtime, _shown(runtime, issue_id, reader))


def mail_source(runtime: Runtime, issue_id: int, reader: ReaderChosen) -> bytes:
    """Return the message a reader gets, its links leading nowhere. Raises as `shown_to` does."""
    return source_to_look_at(runtime, _shown(runtime, issue_id, reader))


def _shown(runtime: Runtime, issue_id: int, reader: ReaderChosen) -> Shown:
    reader = reader.parsed()
    return shown_to(runtime, issue_id, email=reader.email, topics=reader.topics)


def head_view(found: Pieces) -> HeadView:
    """Return which issue it is."""
    issue, newsletter = found.issue, found.newsletter
    return HeadView(
        id=issue.id,
        days=days(*issue.window.local_days(zone(newsletter.timezone))),
        newsletter=newsletter.name,
        newsletter_slug=newsletter.slug,
        state=state_of(issue),
        limits=found.limits.in_words,
    )


def preview_view(runtime: Runtime, found: Pieces, reader: ReaderChosen, look: Look) -> PreviewView:
    """Return what that reader gets, or in `problem` why they get nothing."""
    topics = _topics(runtime, found, reader)
    path = f"/issues/{found.issue.id}/preview"
    view = PreviewView(
        who=reader.email or _who(topics),
        email=reader.email,
        topics=topics,
        choices=choices(path, reader, look),
        part=look.part,
        width=look.width,
        standing="",
        items=(),
        shown="",
    )
    if not found.outline.items:
        return replace(view, problem="This issue holds no article yet, so nobody gets anything.")
    try:
        parsed = reader.parsed()
        view = _reasoned(view, reasons_for(runtime, found, email=parsed.email, topics=parsed.topics))
        shown = shown_of(runtime, found, email=parsed.email, topics=parsed.topics)
    except NotTheirTurn as exc:
        return replace(view, problem=f"{exc}, so no mail is made.")
    except Conflict:
        theirs = "the topics they follow" if reader.email else "these topics"
        return replace(view, problem=f"No article of this issue belongs to {theirs}, so no mail is made.")
    except InvalidInput as exc:
        return replace(view, problem=str(exc))
    return replace(view, mail=_mail(runtime, found.newsletter, shown, path, reader, look))


def _reasoned(view: PreviewView, found: Reasons) -> PreviewView:
    shown = sum(item.is_shown for item in found.items)
    return replace(
        view,
        standing=f"{found.email} {found.verdict}." if found.verdict else "",
        items=tuple(ReasonView(one.title, one.is_shown, one.reason) for one in found.items),
        shown=f"{shown} of {counted(len(found.items), 'article')}",
    )


def _mail(
    runtime: Runtime, newsletter: Newsletter, shown: Shown, path: str, reader: ReaderChosen, look: Look
) -> MailView:
    page = page_to_look_at(runtime, shown)
    source = source_to_look_at(runtime, shown) if look.part is Part.SOURCE else b""
    return MailView(
        sender=f"{plain(newsletter.sender_name)} <{newsletter.sender_email}>",
        reply_to=newsletter.reply_to,
        subject=page.subject,
        frame=address(f"{path}/mail", reader.query, f"colours={look.colours}", f"images={look.images}"),
        text=page.text,
        source=source.decode("utf-8", "replace").replace("\r\n", "\n"),
        download=address(f"{path}/source", reader.query),
        size=_size(page),
        findings=tuple(
            FindingView(one.severity.value, one.what, one.where, one.next_step, "")
            for one in check_page(page, public_url=runtime.settings.public_url)
        ),
        is_text=shown.edition.is_text,
    )


def _size(page: Page) -> SizeView:
    kilobytes, most = len(page.html.encode()) / 1000, HTML_MAX_BYTES // 1000
    return SizeView(f"{kilobytes:.0f} KB of the {most} KB that mail programs show", round(kilobytes, 1), most)


def _topics(runtime: Runtime, found: Pieces, reader: ReaderChosen) -> tuple[TopicView, ...]:
    counts = Counter(topic for topics in found.outline.items for topic in topics)
    with reading(runtime.engine) as session:
        topics: Sequence[Topic] = list_topics(session, found.newsletter.id)
    return tuple(
        TopicView(one.slug, one.name, one.description, one.slug in reader.topics, str(counts[one.slug]))
        for one in topics
    )


def _who(topics: Sequence[TopicView]) -> str:
    """Return who a mail is shown to that is for no subscriber, to stand after "as"."""
    followed = [topic.name for topic in topics if topic.is_ticked]
    if not followed:
        return "a new reader of everything"
    *most, last = followed
    return f"a new reader of {', '.join(most)} and {last}" if most else f"a new reader of {last}"
