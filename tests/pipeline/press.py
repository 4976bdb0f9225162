"""A small press on loopback: one feed and its articles, and a newsletter that reads it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape

from pytest_httpserver import HTTPServer
from sqlalchemy import Engine
from werkzeug import Request, Response

from digest.domain.newsletters import Newsletter
from digest.domain.topics import Topic, TopicRule, TopicSlug
from digest.runtime import Runtime
from digest.settings import Settings
from tests.servers.smtp_sink import SmtpSink
from tests.stored import NOW, stored_newsletter, stored_source

CLIMATE, SPACE = map(TopicSlug, ("climate", "space"))
TOPICS = tuple(Topic(slug, slug.title(), rule=TopicRule(categories=(slug,))) for slug in (CLIMATE, SPACE))
DAY = datetime(2026, 11, 18, 9, tzinfo=UTC)


def prose(subject: str) -> list[str]:
    """Return paragraphs whose words are the subject's own: two articles must not look like one story."""
    nouns = [
        f"{subject}{ending}" for ending in ("harbour", "engine", "council", "market", "garden", "winter")
    ]
    return [
        f"The {first} of the town has found a {second} that works, and the {third} will show in spring "
        f"whether the {fourth} can be had for less than the {fifth} costs today."
        for first, second, third, fourth, fifth in ((nouns[start:] + nouns[:start])[:5] for start in range(4))
    ]


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Press:
    """Articles at `/TITLE`, listed by `/feed` with label and date. `status` is what the feed answers."""

    server: HTTPServer
    articles: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    status: int = 200
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.server.expect_request("/feed").respond_with_handler(self._feed)
        for nothing in ("/robots.txt", "/.well-known/tdmrep.json"):
            self.server.expect_request(nothing).respond_with_data("", 404)

    @property
    def url(self) -> str:
        return f"http://{self.host_port}"

    @property
    def host_port(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def publish(self, title: str, label: str = CLIMATE, day: datetime = DAY) -> None:
        self.articles[title] = label, day
        self.gone.discard(title)
        told = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in prose(title))
        body = f"<title>{escape(title)}</title><article><h1>{escape(title)}</h1>{told}</article>"
        page = f"<!doctype html><html lang=en>{body}</html>"

        def answer(_: Request) -> Response:
            return Response("gone", 410) if title in self.gone else Response(page, mimetype="text/html")

        self.server.expect_request(f"/{title}").respond_with_handler(answer)

    def withdraw(self, title: str) -> None:
        """Let the article's page be gone, though the feed still lists it; publishing brings it back."""
        self.gone.add(title)

    def _feed(self, request: Request) -> Response:
        items = "".join(
            f"<item><title>{escape(title)}</title><link>{self.url}/{title}</link><category>{label}</category>"
            f"<pubDate>{day:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
            for title, (label, day) in self.articles.items()
        )
        feed = f'<rss version="2.0"><channel><title>Press</title>{items}</channel></rss>'
        return Response(feed, status=self.status, content_type="application/rss+xml")


def make_runtime(engine: Engine, press: Press, sink: SmtpSink, clock: Clock, **overrides: object) -> Runtime:
    """Return a runtime on the database of `engine` that may fetch from the press and mails to the sink."""
    settings = Settings(
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key="a key of thirty-two characters!!",  # type: ignore[arg-type]
        mail_url=sink.url,
        mail_sessions=2,
        fetch_allow=(press.host_port,),
        ops_email="ops@example.org",
    )
    return Runtime(settings.model_copy(update=overrides), clock)


def make_newsletter(engine: Engine, press: Press, **overrides: object) -> Newsletter:
    """Store a newsletter that reads the press."""
    newsletter = stored_newsletter(engine, topics=TOPICS, **overrides)
    stored_source(engine, newsletter, "Press", url=f"{press.url}/feed")
    return newsletter


def flaky(runtime: Runtime, error: Exception) -> Runtime:
    """Return a runtime whose fetcher cannot be had."""

    class Flaky(Runtime):
        def fetcher(self, engine: Engine | None = None) -> object:  # type: ignore[override]
            raise error

    return Flaky(runtime.settings, runtime.clock)
