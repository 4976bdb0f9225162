"""Every piece of an issue, rendered once: what editions are joined from."""

from __future__ import annotations

from digest.compose.markup import outline
from digest.compose.templates import EmailTemplate, compile_template
from digest.compose.untrusted import plain
from digest.compose.views import SectionView, context, issue_view, item_view, title_of
from digest.domain.errors import Misconfigured
from digest.domain.issues import IssueContent
from digest.domain.mail import TOKEN_OPEN, Fragment, RenderedIssue

__all__ = ["EmailTemplate", "compile_template", "render_issue"]


def render_issue(content: IssueContent, template: EmailTemplate) -> RenderedIssue:
    """Return the pieces of `content`: opening, each topic's heading, each item under each topic, closing.

    Items must be in the order of their positions, which count from 0 (`ValueError`). Raises
    `InvalidInput` for a language that is no tag, `Misconfigured` when the template itself makes a link
    that is not http(s). An article's own unsafe link or image is left out, its text stays.
    """
    if [item.position for item in content.items] != list(range(len(content.items))):
        raise ValueError("an issue's items must be in the order of their positions, from 0")
    issue = issue_view(content, template.phrases)

    def piece(block: str, **more: object) -> Fragment:
        return _checked(template.fragment(block, context(issue, template.phrases, **more)), template, block)

    sections = {topic.slug: SectionView(plain(topic.name)) for topic in content.topics}
    items = {
        f"{item.position}:{topic}": piece("item", item=view, section=sections[topic])
        for item in content.items
        for view in [item_view(item, content.language, template.phrases)]
        for topic in item.topics
    }
    return RenderedIssue(
        newsletter=issue.newsletter,
        language=issue.language,
        subject=plain(content.subject),
        preheader=plain(content.preheader),
        opening=piece("opening"),
        sections={slug: piece("section", section=section) for slug, section in sections.items()},
        items=items,
        closing=piece("closing"),
        titles=tuple(title_of(item) for item in content.items),
    )


def _checked(fragment: Fragment, template: EmailTemplate, block: str) -> Fragment:
    """Return `fragment`, having looked at its links again: what a template adds to a URL counts too."""
    for element in outline(fragment.html).elements:
        for name in ("href", "src", "background", "action"):
            url = element.attributes.get(name, "https://")
            if not url.startswith(("https://", "http://", TOKEN_OPEN)):
                raise Misconfigured(
                    f"e-mail template '{template.name}', block '{block}': {name} '{url}' of <{element.name}> "
                    "is not an absolute http(s) link; correct the template"
                )
    return fragment
