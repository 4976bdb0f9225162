"""Every piece of an issue, rendered once: what editions are joined from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from digest.compose.markup import outline
from digest.compose.phrases import ARTICLES, Phrases
from digest.compose.templates import EmailTemplate, compile_template
from digest.compose.untrusted import find_link, plain
from digest.compose.views import (
    IssueView,
    SectionView,
    issue_context,
    item_view,
    name_of,
    others_of,
    title_of,
)
from digest.domain.clicks import ArticleLink, link_number
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueContent, Item
from digest.domain.layout import FULL_ITEMS, MAIL_ROOM, Density
from digest.domain.mail import SECTION_COUNT, TOKEN_OPEN, Fragment, RenderedIssue, Token
from digest.domain.topics import TopicSlug

__all__ = ["EmailTemplate", "compile_template", "render_issue"]


def render_issue(content: IssueContent, template: EmailTemplate) -> RenderedIssue:
    """Return the pieces of `content`: opening, each topic's heading, each item under each topic, closing.

    Where an edition may be too long for all its articles in full, each item is rendered in every density.

    Items must be in the order of their positions, which count from 0 (`ValueError`). Raises
    `InvalidInput` for a language that is no tag, `Misconfigured` when the template itself makes a link
    that is not http(s). An article's own unsafe link or image is left out, its text stays.
    """
    if [item.position for item in content.items] != list(range(len(content.items))):
        raise ValueError("an issue's items must be in the order of their positions, from 0")
    pieces = _Pieces.of(content, template)
    opening, closing = pieces.piece("opening"), pieces.piece("closing")
    full, headings = pieces.items(Density.FULL), pieces.headings()
    has_room = len(content.items) <= FULL_ITEMS and _fit(opening, *headings.values(), *full.values(), closing)
    return RenderedIssue(
        newsletter=plain(content.newsletter) or plain(content.sender_name),
        language=content.language,
        subject=plain(content.subject),
        preheader=plain(content.preheader),
        opening=opening,
        sections=headings,
        items=full,
        compact={} if has_room else pieces.items(Density.COMPACT),
        headlines={} if has_room else pieces.items(Density.HEADLINE),
        contents=pieces.piece("contents"),
        entries=pieces.entries(),
        more=pieces.piece("more"),
        closing=closing,
        titles=tuple(map(title_of, content.items)),
        summaries=tuple(map(_summary, content.items)),
        counts=tuple(pieces.phrases.counted(ARTICLES, count) for count in range(1, len(content.items) + 1)),
        links=pieces.links(),
        measured=pieces.measured() if template.measures else Fragment("", ""),
    )


@dataclass(frozen=True, slots=True)
class _Pieces:
    """What renders an issue's pieces: every block is given `shared`, `sections` are in the topics' order."""

    content: IssueContent
    template: EmailTemplate
    phrases: Phrases
    shared: Mapping[str, object]
    sections: Mapping[TopicSlug, SectionView]

    @classmethod
    def of(cls, content: IssueContent, template: EmailTemplate) -> Self:
        phrases = template.phrases(content.language)
        shared = issue_context(content, phrases, template.theme, counts_clicks=template.counted is not None)
        sections = {topic.slug: SectionView(name_of(topic.name), topic.slug) for topic in content.topics}
        return cls(content, template, phrases, shared, sections)

    def piece(self, block: str, **more: object) -> Fragment:
        fragment = self.template.fragment(block, {**self.shared, **more})
        refuse_unsafe_links(fragment.html, f"e-mail template '{self.template.name}', block '{block}'")
        return fragment

    def measured(self) -> Fragment:
        """Return the closing of readers who agreed to be measured."""
        issue = self.shared["issue"]
        assert isinstance(issue, IssueView)
        return self.piece("closing", issue=replace(issue, measures_reader=True))

    def headings(self) -> dict[TopicSlug, Fragment]:
        return {slug: self.piece("section", section=section) for slug, section in self.sections.items()}

    def entries(self) -> dict[TopicSlug, Fragment]:
        """Return each topic's line of the contents."""
        return {
            slug: self.piece("entry", section=section, section_count=SECTION_COUNT)
            for slug, section in self.sections.items()
        }

    def items(self, density: Density) -> dict[str, Fragment]:
        """Return each item under each of its topics, as far as `density` shows it."""
        return {
            f"{item.position}:{topic}": self._item(item, topic, density)
            for item in self.content.items
            for topic in item.topics
        }

    def _item(self, item: Item, topic: TopicSlug, density: Density) -> Fragment:
        also_about = tuple(self.sections[other].name for other in item.topics if other != topic)
        shown = item_view(
            item,
            self.content.language,
            self.phrases,
            density,
            also_about=also_about,
            link=lambda url: self._link(url, topic),
        )
        return self.piece("item", section=self.sections[topic], item=shown)

    def _link(self, url: str, topic: TopicSlug) -> str:
        """Return what stands for an article's address under a topic: itself, or the link that is counted."""
        token = self._token(url, topic)
        if self.template.counted is None or token is None:
            return url
        return f"{self.template.counted.address(token)}/{Token.PLACE.mark}"

    def _token(self, url: str, topic: TopicSlug) -> str | None:
        if self.template.counted is None or not self.content.id:
            return None
        number = link_number(url, list(self.sections).index(topic))
        return self.template.counted.token(self.content.id, number)

    def links(self) -> dict[str, ArticleLink]:
        """Return where counted links lead, by their tokens."""
        return {
            token: ArticleLink(url, item.position, topic, source)
            for item in self.content.items
            for topic in item.topics
            for source, url in self._addresses(item)
            if (token := self._token(url, topic))
        }

    def _addresses(self, item: Item) -> Iterator[tuple[str, str]]:
        if url := find_link(item.url):
            yield plain(item.source), url
        yield from ((other.source, other.url) for other in others_of(item))


def _fit(*pieces: Fragment) -> bool:
    """Return whether a mail has room for all of these."""
    return sum(piece.weight for piece in pieces) <= MAIL_ROOM


def _summary(item: Item) -> str:
    return next((clean for takeaway in item.takeaways if (clean := plain(takeaway))), "")


def refuse_unsafe_links(html: str, where: str) -> None:
    """Raise `Misconfigured` for a link that is not http(s): what a template adds to a URL counts too."""
    for element in outline(html).elements:
        for name in ("href", "src", "background", "action"):
            url = element.attributes.get(name, "https://")
            if not url.startswith(("https://", "http://", TOKEN_OPEN)):
                raise Misconfigured(
                    f"{where}: {name} '{url}' of <{element.name}> is not an absolute http(s) link; correct "
                    "the template"
                )
