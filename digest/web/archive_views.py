"""What an archive's pages and feeds are given of an issue: clean, frozen, in words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from digest.compose.phrases import ARTICLES, Phrases
from digest.compose.untrusted import find_image, find_link, paragraphs, plain
from digest.compose.views import ALT_MAX, OTHERS_MAX, TAKEAWAY_MAX, TITLE_MAX, name_of, title_of
from digest.domain.articles import Image
from digest.domain.issues import Item, OtherSource
from digest.domain.mail import preheader_for, shorten
from digest.domain.newsletters import Newsletter
from digest.domain.topics import TopicSlug
from digest.store.archive import ArchivedIssue
from digest.web.archive_looks import Look
from digest.web.speech import A_SOURCE, ANOTHER_SOURCE, ISSUE_NAME
from digest.web.views import TopicView

HEADLINES = 3
"""Articles that a list names of each issue."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an archive is: `public` is the address of the site, without a slash at its end."""

    public: str
    slug: str

    def path(self, number: int | None = None, topics: Collection[TopicSlug] = (), **more: int | None) -> str:
        """Return the path of the list of issues, or of one, for a mix of topics: one path for each mix."""
        page = f"/archive/{self.slug}" + (f"/{number}" if number else "")
        chosen = [("topic", topic) for topic in sorted(set(topics))]
        query = [*chosen, *((name, str(value)) for name, value in more.items() if value)]
        return page + (f"?{urlencode(query)}" if query else "")

    def feed(self, kind: str, form: str, topics: Collection[TopicSlug] = ()) -> str:
        """Return the path of a feed of this mix."""
        path, mark, query = self.path(topics=topics).partition("?")
        return f"{path}/{kind}.{form}{mark}{query}"

    def url(self, path: str) -> str:
        """Return the whole address of a path."""
        return self.public + path


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article. `url` is None when its link is not safe to follow, `image` only ever is https.

    `topics` are names by slug; `anchor` is where it stands on its issue's page.
    """

    anchor: str
    title: str
    url: str | None
    source: str
    day: str
    date: str
    minutes: int
    language: str
    image: Image | None
    takeaways: tuple[str, ...]
    also: tuple[OtherSource, ...]
    topics: Mapping[TopicSlug, str]


@dataclass(frozen=True, slots=True)
class SectionView:
    """A topic of an issue and the articles shown under it."""

    slug: TopicSlug
    name: str
    articles: tuple[ArticleView, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """An article in a line."""

    title: str
    language: str


@dataclass(frozen=True, slots=True)
class IssueCard:
    """An issue of a list, as a mix of topics sees it. `subject` is '' where its editor wrote none.

    `path` leads to it in this mix, `name` tells it from all others; `further` articles come after the
    headlines.
    """

    number: int
    path: str
    name: str
    days: str
    subject: str
    language: str
    sent_at: datetime
    count: str
    headlines: tuple[Headline, ...]
    further: int


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue as a mix of topics sees it; `summary` is a line about it."""

    card: IssueCard
    summary: str
    intro: tuple[str, ...]
    sections: tuple[SectionView, ...]

    @property
    def articles(self) -> tuple[ArticleView, ...]:
        """The articles in reading order."""
        return tuple(article for section in self.sections for article in section.articles)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed of the archive: what an entry of it is, its format and media type, where it is."""

    entries: str
    form: str
    media_type: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """What stands around every page of an archive.

    `language` is the newsletter's, `spoken` how the page itself speaks. `topics` can be ticked, `chosen` are
    the names of those that are; `address` is that of the page, without what makes no difference. A page that
    `is_listed` may stand in search engines.
    """

    place: Place
    name: str
    language: str
    spoken: Phrases
    look: Look
    sender: str
    email: str
    postal_address: tuple[str, ...]
    address: str
    topics: tuple[TopicView, ...]
    chosen: tuple[str, ...]
    feeds: tuple[FeedLink, ...]
    is_listed: bool

    @property
    def path(self) -> str:
        """The path of its first page."""
        return self.place.path()


@dataclass(frozen=True, slots=True)
class ArchiveTopicView:
    """A topic in an archive: how many issues have articles of it, its newest issue, its feeds."""

    name: str
    description: str
    issues: str
    path: str
    newest: int
    newest_path: str
    feeds: tuple[FeedLink, ...]


def name_of_newsletter(newsletter: Newsletter) -> str:
    """Return its name, or its sender's when nothing of that is fit to print."""
    return plain(newsletter.name) or plain(newsletter.sender_name)


def language_of(language: str | None, otherwise: str) -> str:
    """Return a language's tag when it is one, else the other."""
    return language if language and _LANGUAGE.fullmatch(language) else otherwise


def issue_card(
    issue: ArchivedIssue, place: Place, spoken: Phrases, topics: Collection[TopicSlug] = ()
) -> IssueCard:
    """Return an issue for a list. Only what is listed is looked at: a page lists a thousand articles."""
    content = issue.content
    language = language_of(content.language, "en")
    positions = issue.edition(topics).positions
    first = [content.items[position] for position in positions[:HEADLINES]]
    told = spoken.days(content.first_day, content.last_day)
    return IssueCard(
        number=issue.number,
        path=place.path(issue.number, topics),
        name=spoken.said(ISSUE_NAME, number=issue.number, days=told),
        days=told,
        subject=plain(content.subject),
        language=language,
        sent_at=issue.sent_at,
        count=spoken.counted(ARTICLES, len(positions)),
        headlines=tuple(Headline(_title(item), language_of(item.language, language)) for item in first),
        further=len(positions) - len(first),
    )


def issue_view(
    issue: ArchivedIssue, place: Place, spoken: Phrases, topics: Collection[TopicSlug] = ()
) -> IssueView:
    """Return an issue as readers of `topics` see it, of all of them for none; it may hold nothing."""
    content = issue.content
    language = language_of(content.language, "en")
    names = {topic.slug: name_of(topic.name) for topic in content.topics}
    sections = tuple(
        SectionView(
            section.topic,
            names[section.topic],
            tuple(_article(content.items[at], names, language, spoken) for at in section.positions),
        )
        for section in issue.edition(topics).sections
    )
    return IssueView(
        card=issue_card(issue, place, spoken, topics),
        summary=plain(content.preheader) or _summary(sections),
        intro=paragraphs(content.intro),
        sections=sections,
    )


def _summary(sections: Collection[SectionView]) -> str:
    return preheader_for([article.title for section in sections for article in section.articles])


def _article(item: Item, names: Mapping[TopicSlug, str], language: str, spoken: Phrases) -> ArticleView:
    image = find_image(item.image.url) if item.image else None
    return ArticleView(
        anchor=f"a{item.position + 1}",
        title=_title(item),
        url=find_link(item.url),
        source=name_of(item.source) or spoken.said(A_SOURCE),
        day=spoken.day(item.published_on),
        date=item.published_on.isoformat(),
        minutes=item.reading_minutes,
        language=language_of(item.language, language),
        image=Image(image, shorten(plain(item.image.alt), ALT_MAX)) if image and item.image else None,
        takeaways=tuple(shorten(clean, TAKEAWAY_MAX) for text in item.takeaways if (clean := plain(text))),
        also=_others(item, spoken),
        topics={topic: names[topic] for topic in item.topics},
    )


def _title(item: Item) -> str:
    return shorten(title_of(item), TITLE_MAX)


def _others(item: Item, spoken: Phrases) -> tuple[OtherSource, ...]:
    others = (
        OtherSource(name_of(other.source) or spoken.said(ANOTHER_SOURCE), url)
        for other in item.also
        if (url := find_link(other.url))
    )
    return tuple(others)[:OTHERS_MAX]
