"""Every piece of an issue, rendered once: what editions are joined from."""

from __future__ import annotations

from digest.compose.markup import outline
from digest.compose.phrases import ARTICLES
from digest.compose.templates import EmailTemplate, compile_template
from digest.compose.untrusted import plain
from digest.compose.views import SectionView, issue_context, item_view, name_of, title_of
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueContent, Item
from digest.domain.layout import FULL_ITEMS, MAIL_ROOM, Density
from digest.domain.mail import SECTION_COUNT, TOKEN_OPEN, Fragment, RenderedIssue

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
    phrases = template.phrases(content.language)
    shared = issue_context(content, phrases, template.theme)

    def piece(block: str, **more: object) -> Fragment:
        return _checked(template.fragment(block, {**shared, **more}), template, block)

    sections = {topic.slug: SectionView(name_of(topic.name), topic.slug) for topic in content.topics}

    def items(density: Density) -> dict[str, Fragment]:
        return {
            f"{item.position}:{topic}": piece(
                "item",
                section=sections[topic],
                item=item_view(
                    item,
                    content.language,
                    phrases,
                    density,
                    also_about=tuple(sections[other].name for other in item.topics if other != topic),
                ),
            )
            for item in content.items
            for topic in item.topics
        }

    opening, closing = piece("opening"), piece("closing")
    full = items(Density.FULL)
    headings = {slug: piece("section", section=section) for slug, section in sections.items()}
    everything = [opening, *headings.values(), *full.values(), closing]
    has_room = len(content.items) <= FULL_ITEMS and sum(one.weight for one in everything) <= MAIL_ROOM
    return RenderedIssue(
        newsletter=plain(content.newsletter) or plain(content.sender_name),
        language=content.language,
        subject=plain(content.subject),
        preheader=plain(content.preheader),
        opening=opening,
        sections=headings,
        items=full,
        compact={} if has_room else items(Density.COMPACT),
        headlines={} if has_room else items(Density.HEADLINE),
        contents=piece("contents"),
        entries={
            slug: piece("entry", section=section, section_count=SECTION_COUNT)
            for slug, section in sections.items()
        },
        more=piece("more"),
        closing=closing,
        titles=tuple(title_of(item) for item in content.items),
        summaries=tuple(map(_summary, content.items)),
        counts=tuple(phrases.counted(ARTICLES, count) for count in range(1, len(content.items) + 1)),
    )


def _summary(item: Item) -> str:
    return next((clean for takeaway in item.takeaways if (clean := plain(takeaway))), "")


def _checked(fragment: Fragment, template: EmailTemplate, block: str) -> Fragment:
    refuse_unsafe_links(fragment.html, f"e-mail template '{template.name}', block '{block}'")
    return fragment


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
