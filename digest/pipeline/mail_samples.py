"""Every mail besides the digest as somebody would get it, for an editor to look at. Nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.compose.letters import (
    alert_page,
    alert_view,
    letter_page,
    letter_view,
    marked_as_test,
)
from digest.compose.render import render_issue
from digest.domain.errors import InvalidInput
from digest.domain.issues import IssueContent, IssueId, IssueState, IssueTopic, Item, edition_for
from digest.domain.letters import OF_ACCOUNTS, OF_NEWSLETTERS, LetterKind
from digest.domain.mail import Page, assemble, page_for
from digest.domain.newsletters import Newsletter, NewsletterId
from digest.domain.themes import Theme
from digest.domain.topics import TopicSlug
from digest.pipeline.account_letters import sample_account_letter
from digest.pipeline.letters import links_of
from digest.pipeline.personal_mail import personal_values
from digest.pipeline.preview import SPECIMEN
from digest.pipeline.sign_ups import never_again_link
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_topics

_SAMPLE = Newsletter(
    id=NewsletterId(0),
    slug="sample",
    name="The Harbour Week",
    sender_name="The Harbour Week",
    sender_email="editors@example.org",
    postal_address="1 Quay Street\nHarbour City",
)
DIGEST = "digest"
"""The mail that is no letter, among the kinds of mail to look at."""
_TOPICS_SHOWN = 5
_TOPICS: tuple[str, ...] = ("Tides & energy", "Ships", "Gulls")


def sample_mail(runtime: Runtime, kind: LetterKind, *, slug: str = "", language: str = "") -> Page:
    """Return a mail of this kind to nobody: its links lead nowhere.

    It is `slug`'s, with that newsletter's theme, templates and topics, or a made-up one's; `language` is
    another one than the newsletter's. Raises `NotFound`, `Misconfigured` for a broken template, and
    `InvalidInput` for an alert of a newsletter.
    """
    if kind is LetterKind.ALERT:
        return _alert(runtime, slug, language)
    if kind in OF_ACCOUNTS:
        return _to_an_account(runtime, kind, slug, language)
    newsletter, topics = _SAMPLE, _TOPICS
    if slug:
        with reading(runtime.engine) as session:
            newsletter = get_newsletter(session, slug)
            topics = tuple(topic.name for topic in list_topics(session, newsletter.id))
    newsletter = replace(newsletter, language=language or newsletter.language)
    return _letter(runtime, kind, newsletter, topics)


def sample_look(runtime: Runtime, slug: str, theme: Theme, *, kind: str = DIGEST, language: str = "") -> Page:
    """Return a newsletter's digest of made-up articles, or a letter of a `kind`, in a theme that may be new.

    Raises `NotFound`, and `InvalidInput` for a kind of mail that there is not.
    """
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
        topics = tuple(topic.name for topic in list_topics(session, newsletter.id))
    newsletter = replace(newsletter, theme=theme, language=language or newsletter.language)
    if kind != DIGEST:
        return _letter(runtime, _kind(kind), newsletter, topics)
    content = _content(runtime, newsletter, (topics or _TOPICS)[:_TOPICS_SHOWN])
    edition = edition_for(content.outline, {topic.slug for topic in content.topics})
    email, who = SPECIMEN
    personal = personal_values(runtime, newsletter.id, IssueId(0), who, email)
    return page_for(assemble(render_issue(content, runtime.template(newsletter)), edition), personal)


def _kind(kind: str) -> LetterKind:
    if kind not in OF_NEWSLETTERS:
        raise InvalidInput(
            f"'{kind}' is no mail of a newsletter: choose {DIGEST}, {', '.join(OF_NEWSLETTERS)}"
        )
    return LetterKind(kind)


def _letter(runtime: Runtime, kind: LetterKind, newsletter: Newsletter, topics: tuple[str, ...]) -> Page:
    if kind is LetterKind.TEST:
        return _test(runtime, newsletter, topics)
    email, who = SPECIMEN
    link, unsubscribe_url = links_of(runtime, kind, newsletter.id, who, email)
    view = letter_view(
        email,
        link,
        topics=topics,
        unsubscribe_url=unsubscribe_url,
        other="reader@new.example.org",
        never_url=never_again_link(runtime, email),
    )
    return letter_page(runtime.letter_template(kind, newsletter), newsletter, view)


def _to_an_account(runtime: Runtime, kind: LetterKind, slug: str, language: str) -> Page:
    if slug:
        raise InvalidInput(
            f"'{kind}' is no newsletter's: it goes to people with an account. Leave out --newsletter"
        )
    return sample_account_letter(runtime, kind, language or "en")


def _alert(runtime: Runtime, slug: str, language: str) -> Page:
    if slug or language:
        raise InvalidInput(
            "an alert is no newsletter's: it is English and looks the same for all. Leave out --newsletter "
            "and --language"
        )
    view = alert_view(
        "The Harbour Week: issue 12 waits for approval",
        "The issue of this week is ready, and nobody has let it go yet.",
        to_do="Look at it, then let it go:",
        commands=("digest issue preview 12", "digest issue approve 12"),
    )
    return alert_page(runtime.letter_template(LetterKind.ALERT), view)


def _test(runtime: Runtime, newsletter: Newsletter, topics: tuple[str, ...]) -> Page:
    content = _content(runtime, newsletter, topics or _TOPICS)
    rendered = render_issue(content, runtime.template(newsletter))
    edition = edition_for(content.outline, {topic.slug for topic in content.topics})
    email, who = SPECIMEN
    marked = marked_as_test(
        rendered,
        edition,
        runtime.letter_template(LetterKind.TEST, newsletter),
        newsletter,
        issue=12,
        state=IssueState.DRAFT,
        reader=email,
    )
    personal = personal_values(runtime, newsletter.id, IssueId(0), who, email)
    return page_for(assemble(marked, edition), personal)


def _content(runtime: Runtime, newsletter: Newsletter, topics: tuple[str, ...]) -> IssueContent:
    """Return an issue of one article for each topic, which says that it is none."""
    today = runtime.clock().date()
    slugs = [TopicSlug(f"topic-{number}") for number in range(len(topics))]
    return IssueContent(
        newsletter=newsletter.name,
        language=newsletter.language,
        first_day=today - timedelta(days=6),
        last_day=today,
        sender_name=newsletter.sender_name,
        postal_address=newsletter.postal_address,
        topics=tuple(map(IssueTopic, slugs, topics)),
        items=tuple(
            Item(
                position=position,
                url=f"https://example.org/articles/{position}",
                title=f"Headline {position + 1}",
                source="example.org",
                takeaways=("What the article comes to stands here.",),
                topics=(slug,),
                published_on=today,
                reading_minutes=3,
            )
            for position, slug in enumerate(slugs)
        ),
        number=12,
    )
