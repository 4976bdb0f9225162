"""The week to an issue: choose its articles, freeze its pieces on approval, show what a reader would get."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.compose.render import EmailTemplate, render_issue
from digest.compose.select import LeftOut, Selection, select_items
from digest.compose.shape import UNSHAPED, Shape
from digest.domain.articles import reading_minutes
from digest.domain.errors import Conflict
from digest.domain.feedback import COUNTS_FOR
from digest.domain.issues import (
    Edition,
    Issue,
    IssueContent,
    IssueId,
    IssueState,
    IssueTopic,
    Item,
    OtherSource,
    Outline,
    edition_for,
)
from digest.domain.mail import Page, RenderedIssue, Token, assemble, page_for
from digest.domain.newsletters import Newsletter
from digest.domain.times import Window, zone
from digest.domain.topics import TopicSlug
from digest.store.articles import ArticleId
from digest.store.condensed import Candidate, candidates_in
from digest.store.contents import addresses_of, record_content, sources_of
from digest.store.database import reading, writing
from digest.store.edits import edits_of
from digest.store.excerpts import Excerpt, excerpts_in
from digest.store.excerpts import source_name as name_of_source
from digest.store.feedback import feedback_by_source
from digest.store.issue_segments import EVERYBODY, Limits, limits_of
from digest.store.issues import (
    ensure_issue,
    find_issue,
    get_issue,
    lock_issue,
    next_number,
)
from digest.store.items import carried_articles, items_of, replace_items, reports_of
from digest.store.newsletters import list_topics, newsletter_by_id
from digest.store.revisions import content_hash, freeze, get_outline, get_rendered
from digest.store.told import told_before

_LOOK_BACK = timedelta(days=60)
"""How far back an earlier issue counts: its stories are not told again."""


@dataclass(frozen=True, slots=True)
class Composed:
    """What composing a window came to. `issue` is None for an empty week: there is nothing to send."""

    issue: Issue | None
    items: int
    left_out: tuple[LeftOut, ...]


def compose(engine: Engine, newsletter: Newsletter, window: Window, *, now: datetime) -> Composed:
    """Fill the draft of `window` with the best of its articles, making the draft when there is none.

    An issue that is no longer a draft is returned as it stands: composing again changes nothing that was
    approved or sent.
    """
    with writing(engine) as session:
        known = find_issue(session, newsletter.id, window)
        if known is not None:
            known = lock_issue(session, known.id)
            if known.state is not IssueState.DRAFT:
                return Composed(known, len(items_of(session, known.id)), ())
        selection = choose(session, newsletter, window, candidates_in(session, newsletter.id, window))
        if not selection.items and known is None:
            return Composed(None, 0, selection.left_out)
        issue = known or ensure_issue(session, newsletter.id, window, now=now)
        replace_items(session, issue.id, selection.items)
    return Composed(issue if selection.items else None, len(selection.items), selection.left_out)


def choose(
    session: Session, newsletter: Newsletter, window: Window, candidates: Sequence[Candidate]
) -> Selection:
    """Return what the draft of a window would hold of these articles. Nothing is written."""
    issue = find_issue(session, newsletter.id, window)
    carried = carried_articles(
        session, newsletter.id, but=issue.id if issue else None, since=window.start - _LOOK_BACK
    )
    earlier = told_before(session, newsletter.id, window, but=issue.id if issue else None)
    return select_items(
        candidates,
        window,
        max_items=newsletter.max_items,
        carried=carried,
        told=[stored.article for stored in earlier],
        shape=shape_of(session, issue.id) if issue else UNSHAPED,
        heard=feedback_by_source(session, newsletter.id, since=window.end - COUNTS_FOR),
    )


def shape_of(session: Session, issue_id: IssueId) -> Shape:
    """Return what editors made of an issue."""
    return Shape.of(edits_of(session, issue_id))


Vet = Callable[[Session, Issue, RenderedIssue], None]
"""Raises where a draft may not be approved as it stands. Nobody changes it while it is asked."""


def approve(
    engine: Engine,
    issue_id: int,
    *,
    template: EmailTemplate,
    by: str,
    now: datetime,
    note: str = "",
    vet: Vet = lambda _session, _draft, _rendered: None,
) -> Issue:
    """Render a draft's pieces and freeze them: they are what will be sent, byte for byte.

    `note` is what those who look at the issue later should know of its approval. Raises `Conflict` when the
    issue is not a draft or holds nothing, and what `vet` does.
    """
    with writing(engine) as session:
        issue = lock_issue(session, issue_id)
        content = _content(session, issue)
        if not content.items:
            raise Conflict(f"issue {issue.id} holds no article: there is nothing to approve")
        rendered = render_issue(content, template)
        if issue.state is IssueState.DRAFT:
            vet(session, issue, rendered)
        frozen = freeze(session, issue, rendered, content.outline, by=by, now=now, note=note)
        return record_content(session, frozen, content)


@dataclass(frozen=True, slots=True)
class Pieces:
    """An issue ready to be looked at: the pieces it would be sent with, and who gets which.

    `addresses` are those that each item tells, `sources` what its source is called; none where an old
    approval did not keep them. `content_hash` is what an approval of these pieces keeps of them; of a draft
    that is not for everybody, it is also of whom it is for. `limits` say that.
    """

    issue: Issue
    newsletter: Newsletter
    rendered: RenderedIssue
    outline: Outline
    addresses: tuple[frozenset[str], ...] = ()
    content_hash: str = ""
    limits: Limits = EVERYBODY
    sources: tuple[str, ...] = ()

    def page(self, follows: Collection[TopicSlug], personal: Mapping[Token, str]) -> Page | None:
        """Return the mail of a reader who follows these topics, or None when they would get none."""
        return self.page_of(edition_for(self.outline, follows), personal)

    def page_of(self, edition: Edition, personal: Mapping[Token, str]) -> Page | None:
        """Return the mail of one edition, or None when it holds nothing."""
        if not edition.sections:
            return None
        return page_for(assemble(self.rendered, edition), personal)


def pieces_of(engine: Engine, issue_id: int, *, template_of: Callable[[Newsletter], EmailTemplate]) -> Pieces:
    """Return an issue's pieces: those its approval froze, or a draft's as they would be now.

    Only a draft needs its newsletter's template: what was approved is there whatever became of that since.
    """
    with reading(engine) as session:
        issue = get_issue(session, issue_id)
        newsletter = newsletter_by_id(session, issue.newsletter_id)
        if issue.revision and issue.state is not IssueState.DRAFT:
            frozen = get_rendered(session, issue), get_outline(session, issue)
            told, digest = addresses_of(session, issue), issue.content_hash
            limits, sources = limits_of(session, issue), sources_of(session, issue)
            return Pieces(issue, newsletter, *frozen, told, digest, limits, sources)
        content = _content(session, issue)
        limits = limits_of(session, issue)
    rendered, digest = _rendered(content, template_of(newsletter))
    mark, outline = limits.mark(digest), content.outline
    return Pieces(issue, newsletter, rendered, outline, content.addresses, mark, limits, content.sources)


@lru_cache(maxsize=8)
def _rendered(content: IssueContent, template: EmailTemplate) -> tuple[RenderedIssue, str]:
    """Render a draft once for all who look at it, and return its pieces with their hash.

    200 articles take 0.4 s, and are the same until the draft changes. A template is compiled anew when one of
    its files changes, and is then another one.
    """
    rendered = render_issue(content, template)
    return rendered, content_hash(rendered)


def content_of(engine: Engine, issue_id: int) -> IssueContent:
    """Return all that an issue says, from its articles as they stand now."""
    with reading(engine) as session:
        return _content(session, get_issue(session, issue_id))


def _content(session: Session, issue: Issue) -> IssueContent:
    newsletter = newsletter_by_id(session, issue.newsletter_id)
    shape = shape_of(session, issue.id)
    chosen = reports_of(session, issue.id)
    held = {one for reports in chosen for one in reports}
    excerpts = excerpts_in(session, newsletter.id, issue.window, held)
    told = [reports for reports in chosen if _is_told(reports[0], excerpts, shape)]
    items = tuple(
        _item(position, reports, excerpts, newsletter, shape) for position, reports in enumerate(told)
    )
    used = {topic for item in items for topic in item.topics}
    first_day, last_day = issue.window.local_days(zone(newsletter.timezone))
    return IssueContent(
        newsletter=newsletter.name,
        language=newsletter.language,
        first_day=first_day,
        last_day=last_day,
        sender_name=newsletter.sender_name,
        postal_address=newsletter.postal_address,
        topics=tuple(
            IssueTopic(topic.slug, topic.name)
            for topic in list_topics(session, newsletter.id)
            if topic.slug in used
        ),
        items=items,
        subject=issue.subject,
        preheader=issue.preheader,
        intro=issue.intro,
        number=issue.number or next_number(session, newsletter.id),
        id=issue.id,
    )


def _is_told(article_id: ArticleId, excerpts: Mapping[ArticleId, Excerpt], shape: Shape) -> bool:
    """Whether a chosen article still belongs to a topic: rules may have changed since it was chosen."""
    return article_id in excerpts and bool(shape.topics_of(article_id, excerpts[article_id].topics))


def _item(
    position: int,
    reports: tuple[ArticleId, ...],
    excerpts: Mapping[ArticleId, Excerpt],
    newsletter: Newsletter,
    shape: Shape,
) -> Item:
    told, *others = (excerpts[one] for one in reports if one in excerpts)
    return Item(
        position=position,
        url=told.url,
        title=shape.headline_of(told.id, told.title),
        source=told.source,
        takeaways=told.takeaways if told.is_edited else told.takeaways[: newsletter.takeaways],
        topics=tuple(match.slug for match in shape.topics_of(told.id, told.topics)),
        published_on=told.published_at.astimezone(zone(newsletter.timezone)).date(),
        reading_minutes=reading_minutes(told.word_count),
        language=told.language,
        image=told.image,
        also=tuple(OtherSource(other.source, other.url) for other in others),
    )


def source_name(candidate: Candidate) -> str:
    """Return the name of where an article is from, as readers see it."""
    article = candidate.stored.article
    first = next(iter(candidate.stored.sources), None)
    return name_of_source(first=first, site_name=article.site_name, url=article.url)
