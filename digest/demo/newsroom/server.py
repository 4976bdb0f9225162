"""The sample newsroom as a web server on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from digest.demo.newsroom.catalogue import Catalogue
from digest.demo.newsroom.resources import Resource, missing_pages, resources_of
from digest.demo.newsroom.sites import SITES, Announcement

HOST = "127.0.0.1"

_POLL_SECONDS = 0.05
"""How long close() may wait for the server to notice."""

_NOT_FOUND = Resource("text/plain; charset=utf-8", b"no such site\n", status=HTTPStatus.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class SampleSource:
    """A source as a newsletter would be told of it. `default_categories` belong to all its articles."""

    name: str
    url: str
    kind: Literal["feed", "page"]
    default_categories: tuple[str, ...] = ()
    language: str = "en"


class Newsroom:
    """Five sites below one address, until it is closed.

    Use it as a context manager: `with Newsroom.start(now=now) as newsroom`. The same `now`, zone and
    port give the same pages, byte for byte.
    """

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._thread = Thread(
            target=server.serve_forever, args=(_POLL_SECONDS,), name="sample newsroom", daemon=True
        )
        self._thread.start()

    @classmethod
    def start(cls, *, now: datetime, zone: tzinfo = UTC, port: int = 0) -> Newsroom:
        """Serve the news as of `now` (aware) on loopback; port 0 takes a free one.

        Articles carry wall-clock times in `zone`: give the newsletter's own, and each lies on the local
        day it was written for. Raises `ValueError` for a naive `now`, `OSError` when the port is taken.
        """
        if now.tzinfo is None:
            raise ValueError(f"naive datetime {now!r}: give it a zone")
        server = _Server((HOST, port), _Handler)
        server.publish(Catalogue.at(now, zone, f"http://{HOST}:{server.server_port}"))
        return cls(server)

    @property
    def url(self) -> str:
        """The address of the newsroom, without a slash at its end."""
        return self.catalogue.base_url

    @property
    def host_port(self) -> str:
        """`127.0.0.1:port`, as a fetcher's list of allowed loopback addresses wants it."""
        return f"{HOST}:{self._server.server_port}"

    @property
    def catalogue(self) -> Catalogue:
        """What is published here."""
        return self._server.catalogue

    @property
    def sources(self) -> tuple[SampleSource, ...]:
        """The five sources. The last one is broken: it answers 200 with a page that is no feed."""
        return tuple(
            SampleSource(
                name=site.name,
                url=self.url + site.index_path,
                kind="page" if site.announcement is Announcement.LISTING else "feed",
                default_categories=site.default_categories,
            )
            for site in SITES
        )

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection open must not hold up close()

    catalogue: Catalogue
    answers: Mapping[str, Resource]
    missing: Mapping[str, Resource]

    def publish(self, catalogue: Catalogue) -> None:
        """Answer with what `catalogue` holds. Called before the first request."""
        self.catalogue = catalogue
        self.answers = resources_of(catalogue)
        self.missing = missing_pages(catalogue)

    def resource(self, path: str) -> Resource:
        """Return what lies at `path`, or the 404 page of the site it would belong to."""
        site = "/".join(path.split("/")[:2]) + "/"
        return self.answers.get(path) or self.missing.get(site, _NOT_FOUND)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "SampleNewsroom"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one segment

    def do_GET(self) -> None:
        resource = self._resource()
        if self._unchanged(resource):
            self._head(resource, HTTPStatus.NOT_MODIFIED)
        else:
            self._head(resource, resource.status)
            self.wfile.write(resource.body)

    def do_HEAD(self) -> None:
        resource = self._resource()
        self._head(resource, resource.status)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the demo's own output is what people came to read."""

    def _resource(self) -> Resource:
        return self.server.resource(urlsplit(self.path).path)

    def _unchanged(self, resource: Resource) -> bool:
        """Whether the client's copy is current (RFC 9110 §13.2.2: If-None-Match goes first)."""
        if resource.changed is None:
            return False
        if tags := self.headers.get("If-None-Match"):
            return resource.etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        since = _http_date(self.headers.get("If-Modified-Since", ""))
        return since is not None and resource.changed.replace(microsecond=0) <= since

    def _head(self, resource: Resource, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Type", resource.content_type)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(resource.body)))
        if resource.changed is not None:
            self.send_header("ETag", resource.etag)
            self.send_header("Last-Modified", resource.last_modified)
        self.end_headers()


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None
