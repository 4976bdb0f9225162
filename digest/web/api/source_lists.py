"""Sources found, tried, and carried in and out as OPML lists."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from digest.domain.accounts import Right
from digest.gather.feeds.discovery import Candidate, CandidateKind, FoundBy
from digest.gather.polled import Polled
from digest.pipeline.managing import sources
from digest.store.database import reading
from digest.store.newsletters import get_newsletter
from digest.web.api.access import Call, TheCaller, asks
from digest.web.api.managing import whose
from digest.web.api.shapes import Given, Line, Listed, NewsletterName, Number, Text, Told, Url, whole
from digest.web.dependencies import TheRuntime

router = APIRouter(route_class=Call, tags=["Sources"])


class Opml(Told):
    """A newsletter's sources as an OPML list, as feed readers read it."""

    opml: str
    count: int = Field(description="Sources in it.")


class OpmlGiven(Given):
    """An OPML list as a feed reader exports it. Folders called like topics give their sources these."""

    opml: Text = Field(min_length=1, max_length=1_000_000)
    file: Line = Field("sources.opml", description="What it is called in messages.")


class Imported(Told):
    """What became of a list."""

    added: list[str] = Field(description="The sources that were added, by name.")
    known: list[str] = Field(description="Those that were there.")
    problems: list[str] = Field(description="Lines that are no source, and why.")
    loose: list[str] = Field(description="Folders called like no topic.")


class Site(Given):
    """A site that may have feeds."""

    site: Url = Field(examples=["https://example.org/"])


class Found(Told):
    """A feed or sitemap of a site."""

    url: str
    kind: CandidateKind
    format: str
    title: str
    entries: int = Field(description="What it lists.")
    newest: datetime | None
    has_full_text: bool = Field(description="Whether it carries whole articles.")
    is_comments: bool = Field(description="Whether it holds what readers say of articles.")
    is_finished: bool = Field(description="Whether it says that nothing new will come.")
    found_by: FoundBy

    @classmethod
    def of(cls, one: Candidate) -> Found:
        """Return what was found as the API tells it."""
        return cls(
            url=one.url,
            kind=one.kind,
            format=one.format,
            title=one.title,
            entries=one.entries,
            newest=one.newest,
            has_full_text=one.has_full_text,
            is_comments=one.is_comments,
            is_finished=one.is_finished,
            found_by=one.found_by,
        )


class Poll(Told):
    """How a source's poll went."""

    error: str = Field(description="Why it could not be read; '' when it could.")
    listed: int
    new: int
    updated: int
    known: int
    outside: int = Field(description="Articles of other days.")
    failed: int = Field(description="Articles whose pages cannot be read.")
    later: int = Field(description="Articles left for the next poll.")
    unchanged: bool
    problems: list[str]
    notice: str
    waits_until: datetime | None = Field(description="When it may be asked again, where it was not asked.")

    @classmethod
    def of(cls, one: Polled) -> Poll:
        """Return a poll as the API tells it."""
        return cls(
            error=one.error,
            listed=one.listed,
            new=one.new,
            updated=one.updated,
            known=one.known,
            outside=one.outside,
            failed=one.failed,
            later=one.later,
            unchanged=one.unchanged,
            problems=one.problems,
            notice=one.notice,
            waits_until=one.waits_until,
        )


@router.get("/newsletters/{newsletter}/sources/opml", **asks(Right.LOOK))
def export_sources(runtime: TheRuntime, newsletter: NewsletterName) -> Opml:
    """Return a newsletter's sources as an OPML list."""
    body, count = sources.export_list(runtime, newsletter)
    return Opml(opml=body.decode(), count=count)


@router.post("/newsletters/{newsletter}/sources/opml", **asks(Right.SHAPE))
def import_sources(
    runtime: TheRuntime, caller: TheCaller, newsletter: NewsletterName, given: OpmlGiven
) -> Imported:
    """Add the sources of an OPML list that are not there yet."""
    body = given.opml.encode("utf-8", "surrogatepass")
    done = sources.import_list(runtime, newsletter, body, file=given.file, by=caller.name)
    return Imported(
        added=list(done.added), known=list(done.known), problems=list(done.problems), loose=list(done.loose)
    )


@router.post("/newsletters/{newsletter}/sources/search", **asks(Right.SHAPE))
def search_site(runtime: TheRuntime, newsletter: NewsletterName, given: Site) -> Listed[Found]:
    """Look for a site's feeds and sitemaps, the best first. Nothing is stored. That takes some seconds."""
    with reading(runtime.engine) as session:
        get_newsletter(session, newsletter)
    return whole(sources.search(runtime, given.site), Found.of)


@router.post("/sources/{source_id}/try", **asks(Right.SHAPE))
def try_source(runtime: TheRuntime, source_id: Number) -> Poll:
    """Poll a source at once, as a worker would, and say how that went."""
    slug, which = whose(runtime, source_id)
    return Poll.of(sources.try_now(runtime, slug, which))
