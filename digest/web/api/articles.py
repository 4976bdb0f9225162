"""Articles as they were gathered, and the takeaways made of them."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import Field

from digest.domain import articles as domain
from digest.domain.accounts import Right
from digest.domain.articles import BlockKind, Origin
from digest.domain.errors import NotFound
from digest.domain.times import zone
from digest.domain.topics import TOPICS_MAX
from digest.pipeline.by_hand import add_article
from digest.store.articles import ArticleId, StoredArticle, articles_by_id, articles_page
from digest.store.condensings import Condensing, current_versions
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.store.recording import Recorded
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.cursors import After, Limit, read_cursor
from digest.web.api.shapes import Given, Listed, NewsletterName, Number, Slug, Told, Url, page
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Articles"])


class Place(Told):
    """Characters from `start` until before `end` of an article's text."""

    start: int
    end: int


class Takeaway(Told):
    """A sentence on an article, who wrote it, and what of the text supports it."""

    text: str
    origin: Origin
    support: list[Place]
    model: str = Field(description="The language model that wrote it; '' for all others.")

    @classmethod
    def of(cls, one: domain.Takeaway) -> Takeaway:
        """Return a takeaway as the API tells it."""
        return cls(
            text=one.text,
            origin=one.origin,
            support=[Place(start=span.start, end=span.end) for span in one.support],
            model=one.model,
        )


class Article(Told):
    """An article as a list shows it."""

    id: int
    url: str
    title: str
    sources: list[str] = Field(description="The sources that list it.")
    published_at: datetime | None
    first_seen_at: datetime
    language: str | None
    byline: str | None
    word_count: int
    story_id: int | None = Field(description="The article that stands for its story, where that is another.")
    note: str = Field(description="Why the text is not the page's; '' when it is.")

    @classmethod
    def of(cls, one: StoredArticle) -> Article:
        """Return an article as a list shows it."""
        return cls(**_columns(one))


class Block(Told):
    """A heading, a paragraph, an item of a list."""

    kind: BlockKind
    text: str


class FullArticle(Article):
    """An article with text and takeaways. Places count characters of its blocks, joined by blank lines."""

    blocks: list[Block]
    takeaways: list[Takeaway]
    why_none: str | None = Field(description="Why there are no takeaways, where there are none.")

    @classmethod
    def whole(cls, one: StoredArticle, made: Condensing | None) -> FullArticle:
        """Return an article with all that is known of it."""
        condensed = made.condensed if made else None
        return cls(
            **_columns(one),
            blocks=[Block(kind=block.kind, text=block.text) for block in one.article.blocks],
            takeaways=list(map(Takeaway.of, condensed.takeaways if condensed else ())),
            why_none=condensed.why_none if condensed else "it has not been condensed yet",
        )


@router.get("/newsletters/{newsletter}/articles", **asks(Right.LOOK))
def list_articles(
    runtime: TheRuntime, newsletter: NewsletterName, limit: Limit = 50, cursor: After = None
) -> Listed[Article]:
    """Return a newsletter's articles, the last gathered first."""
    after = read_cursor(cursor, int)
    with reading(runtime.engine) as session:
        found = articles_page(
            session,
            get_newsletter(session, newsletter).id,
            limit=limit + 1,
            before=int(after[0]) if after else None,
        )
    return page(found, Article.of, limit=limit, key=lambda one: (one.id,))


class NewlyAdded(Given):
    """An article that the coming issue is to consider, whenever it was published."""

    url: Url = Field(examples=["https://example.org/2026/11/tides"])
    topics: list[Slug] = Field(
        default_factory=list, max_length=TOPICS_MAX, description="Topics it has beside those the rules find."
    )


class ArticleByHand(Told):
    """An article that was added by hand, and the issue that considers it."""

    url: str
    title: str
    recorded: Recorded = Field(description="`new`, or `known` or `updated` where it was there before.")
    first_day: date = Field(description="The first local day of the issue that considers it.")
    last_day: date


@router.post("/newsletters/{newsletter}/articles", status_code=201, **asks(Right.SHAPE))
def add_newsletter_article(
    runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, new: NewlyAdded
) -> ArticleByHand:
    """Fetch an article for the coming issue to consider. That takes some seconds."""
    added = add_article(runtime, newsletter, new.url, topics=new.topics, by=caller.name)
    with reading(runtime.engine) as session:
        tz = zone(get_newsletter(session, newsletter).timezone)
    first_day, last_day = added.window.local_days(tz)
    return ArticleByHand(
        url=added.article.url,
        title=added.article.title,
        recorded=added.recorded,
        first_day=first_day,
        last_day=last_day,
    )


@router.get("/articles/{article_id}", **asks(Right.LOOK))
def show_article(runtime: TheRuntime, article_id: Number) -> FullArticle:
    """Return an article with its text and the takeaways that hold."""
    number = ArticleId(article_id)
    with reading(runtime.engine) as session:
        found = articles_by_id(session, [number]).get(number)
        if found is None:
            raise NotFound(f"no article {article_id}: 'digest article list' shows numbers and addresses")
        return FullArticle.whole(found, current_versions(session, [number]).get(number))


def _columns(one: StoredArticle) -> dict[str, object]:
    article = one.article
    return {
        "id": one.id,
        "url": article.url,
        "title": article.title,
        "sources": list(one.sources),
        "published_at": article.published_at,
        "first_seen_at": one.first_seen_at,
        "language": article.language,
        "byline": article.byline,
        "word_count": article.word_count,
        "story_id": one.story_id,
        "note": article.note,
    }
