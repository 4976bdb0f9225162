"""What hostile hosts do: each fault is one way to hurt who reads a feed or a page."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache

from benchmarks.farm_sites import PRIVATE_PATH, Site
from benchmarks.farm_talk import Talk

_BOMB_MIB = 64
# 64 MiB of zeros, by brotli's own encoder.
_BROTLI_BOMB = "z///fwAkAOKxQHLv//n//w+ABEAcFoDu/T////8BkACIwwLQvf/n//8/ABIAcVgAuvf/Aw=="
_ITEM = b"<item><title>%d</title><link>/%d</link></item>"
_ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(9))
_OPEN = b'<rss version="2.0"><channel><title>'


class Where(Enum):
    """What of a host a fault concerns, and so which of its articles should still come in."""

    HOST = "whatever is asked of it: nothing comes in"
    LIST = "its list alone: nothing comes in"
    ODD_PAGES = "every second article: the others come in"
    ODD_PAGES_PERHAPS = "every second article, of which a reader may make something"
    CUT = "its list, which ends early: what comes in of it is right"
    HARMLESS = "its list, in a way that a good reader sees through: all come in"


Act = Callable[[Talk, Site], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: what it concerns, and how such a request is answered (None: the host cannot be reached)."""

    where: Where
    act: Act | None = None


def expected(site: Site) -> list[str]:
    """Return the addresses of the articles that a good reader brings in from `site`."""
    if not site.fault:
        return site.urls
    match FAULTS[site.fault].where:
        case Where.HARMLESS:
            return site.urls
        case Where.ODD_PAGES | Where.ODD_PAGES_PERHAPS:
            return site.urls[::2]
        case _:
            return []


def permitted(site: Site) -> list[str]:
    """Return the addresses of the articles that may come in from `site`, expected or not."""
    is_cut = site.fault and FAULTS[site.fault].where in (Where.CUT, Where.ODD_PAGES_PERHAPS)
    return [*(site.urls if is_cut else expected(site)), site.origin + PRIVATE_PATH]


def fault_of(site: Site, path: str) -> Act | None:
    """Return how `site` answers a request for `path` if that is not as it should."""
    if not site.fault:
        return None
    fault = FAULTS[site.fault]
    concerned = {
        Where.HOST: True,
        Where.LIST: path == site.path,
        Where.CUT: path == site.path,
        Where.HARMLESS: path == site.path,
        Where.ODD_PAGES: path in list(site.texts)[1::2],
        Where.ODD_PAGES_PERHAPS: path in list(site.texts)[1::2],
    }
    return fault.act if concerned[fault.where] else None


async def _hang(_: Talk, __: Site) -> None:
    await asyncio.sleep(600)


async def _hang_body(talk: Talk, _: Site) -> None:
    await talk.start(length=50_000)
    await talk.send(_OPEN)
    await asyncio.sleep(600)


async def _drip(talk: Talk, _: Site) -> None:
    await talk.start(length=100_000)
    for byte in _OPEN * 1000:
        await talk.send(bytes([byte]))
        await asyncio.sleep(0.3)


async def _endless(talk: Talk, _: Site) -> None:
    await talk.start(length=None)
    await talk.send(_OPEN + b"</title>")
    for number in range(100_000_000):
        await talk.send(_ITEM % (number, number) * 200)


async def _endless_headers(talk: Talk, _: Site) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000_000):
        await talk.send(b"X-%d: %s\r\n" % (number, b"x" * 4000))


async def _not_http(talk: Talk, _: Site) -> None:
    await talk.send(bytes(range(256)) * 40)
    talk.close()


async def _reset(talk: Talk, _: Site) -> None:
    await talk.start(length=10_000)
    await talk.send(_OPEN)
    talk.writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    talk.writer.transport.abort()


def _bomb(coding: str) -> Act:
    async def act(talk: Talk, _: Site) -> None:
        await talk.answer(200, _bombs()[coding], coding=coding)

    return act


@cache
def _bombs() -> dict[str, bytes]:
    # zstd (RFC 8878): blocks of the kind "one byte repeated", 128 KiB each.
    last = _BOMB_MIB * 8 - 1
    blocks = (
        ((128 << 10) << 3 | 1 << 1 | (n == last)).to_bytes(3, "little") + b"\0" for n in range(last + 1)
    )
    return {
        "gzip": gzip.compress(bytes(_BOMB_MIB << 20)),
        "br": base64.b64decode(_BROTLI_BOMB),
        "zstd": b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks),
    }


def _body(made: Callable[[Site], bytes], content_type: str = "application/rss+xml") -> Act:
    """Return a fault that is all in the body."""

    async def act(talk: Talk, site: Site) -> None:
        # Never compressed: a reader that minds the ratio would not come to see it.
        await talk.answer(200, made(site), content_type=content_type, coding="identity", etag='"same"')

    return act


def _status(status: int, **headers: str) -> Act:
    async def act(talk: Talk, _: Site) -> None:
        await talk.answer(
            status, b"", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return act


def _redirect(target: Callable[[Site, str], str]) -> Act:
    async def act(talk: Talk, site: Site) -> None:
        await talk.answer(302, b"", headers={"Location": target(site, talk.path)})

    return act


def _length(factor: float) -> Act:
    async def act(talk: Talk, site: Site) -> None:
        body = site.listing()
        await talk.start(length=int(len(body) * factor))
        await talk.send(body)
        talk.close()

    return act


async def _garbage_gzip(talk: Talk, site: Site) -> None:
    await talk.answer(200, site.listing(), coding="gzip")


async def _damaged_chunks(talk: Talk, _: Site) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n" + _OPEN)
    talk.close()


async def _republish(talk: Talk, site: Site) -> None:
    body = site.listing(later=timedelta(hours=1) * (talk.poll - 1))
    await talk.answer(200, body, content_type=site.content_type, etag=f'"{talk.poll}"')


def _giant_titles(site: Site) -> bytes:
    return site.listing().replace(b"<item><title>", b"<item><title>" + b"Very long news and no end " * 8000)


def _many_attributes(_: Site) -> bytes:
    return b"<html><body><p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">x</p></body></html>"


def _deep(tag: bytes, times: int) -> Callable[[Site], bytes]:
    return lambda _: b"<html><body><article>" + (b"<%s>deep " % tag) * times


def _entity_bomb(_: Site) -> bytes:
    return (
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "ha">'
        + _ENTITIES
        + b"]>"
        + _OPEN
        + b"&e9;</title></channel>"
        b"</rss>"
    )


def _inward(site: Site, _: str) -> str:
    return f"http://127.0.0.1:{site.port}/metadata"


_HTML = "text/html; charset=utf-8"

FAULTS: dict[str, Fault] = {
    "hangs on connect": Fault(Where.HOST),
    "refuses connections": Fault(Where.HOST),
    "has no address": Fault(Where.HOST),
    "hangs before headers": Fault(Where.HOST, _hang),
    "hangs in the body": Fault(Where.LIST, _hang_body),
    "drips": Fault(Where.LIST, _drip),
    "pages hang": Fault(Where.ODD_PAGES, _hang),
    "pages drip": Fault(Where.ODD_PAGES, _drip),
    "gzip bomb": Fault(Where.LIST, _bomb("gzip")),
    "brotli bomb": Fault(Where.LIST, _bomb("br")),
    "zstd bomb": Fault(Where.LIST, _bomb("zstd")),
    "pages are gzip bombs": Fault(Where.ODD_PAGES, _bomb("gzip")),
    "endless body": Fault(Where.LIST, _endless),
    "endless headers": Fault(Where.LIST, _endless_headers),
    "redirects in a loop": Fault(Where.LIST, _redirect(lambda site, path: site.origin + path)),
    "redirects inward": Fault(Where.LIST, _redirect(_inward)),
    "pages redirect inward": Fault(Where.ODD_PAGES, _redirect(_inward)),
    "redirects to cloud metadata": Fault(
        Where.LIST, _redirect(lambda *_: "http://169.254.169.254/latest/meta-data/")
    ),
    "redirects to a file": Fault(Where.LIST, _redirect(lambda *_: "file:///etc/passwd")),
    "promises more than it sends": Fault(Where.LIST, _length(2)),
    "promises less than it sends": Fault(Where.CUT, _length(0.5)),
    "says gzip and is not": Fault(Where.LIST, _garbage_gzip),
    "chunks without end": Fault(Where.LIST, _damaged_chunks),
    "calls its feed a picture": Fault(Where.HARMLESS, _body(lambda site: site.listing(), "image/png")),
    "calls its UTF-8 UTF-7": Fault(
        Where.HARMLESS, _body(lambda site: site.listing(), "text/xml; charset=utf-7")
    ),
    "giant titles": Fault(Where.HARMLESS, _body(_giant_titles)),
    "republishes with new dates": Fault(Where.HARMLESS, _republish),
    "entity bomb": Fault(Where.LIST, _body(_entity_bomb)),
    "nested deeply": Fault(Where.LIST, _body(lambda _: _OPEN + b"<a>" * 500_000)),
    "pages nested deeply": Fault(Where.ODD_PAGES_PERHAPS, _body(_deep(b"div", 300_000), _HTML)),
    "pages of unclosed links": Fault(Where.ODD_PAGES_PERHAPS, _body(_deep(b"a href=x", 200_000), _HTML)),
    "pages of table rows": Fault(Where.ODD_PAGES_PERHAPS, _body(_deep(b"tr><td", 300_000), _HTML)),
    "pages of attributes": Fault(Where.ODD_PAGES_PERHAPS, _body(_many_attributes, _HTML)),
    "feed of attributes": Fault(Where.LIST, _body(_many_attributes)),
    "a million entries": Fault(
        Where.LIST, _body(lambda _: _OPEN + b"</title>" + b"<item><link>/a</link></item>" * 1_000_000)
    ),
    "a hundred thousand entries": Fault(
        Where.LIST, _body(lambda _: _OPEN + b"</title>" + b"<item><link>/a</link></item>" * 100_000)
    ),
    "unclosed CDATA": Fault(Where.LIST, _body(lambda _: _OPEN + b"<![CDATA[" * 500_000)),
    "HTML as feed": Fault(
        Where.LIST, _body(lambda _: b"<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>")
    ),
    "answers 500": Fault(Where.LIST, _status(500)),
    "answers 429": Fault(Where.LIST, _status(429, Retry_After="3600")),
    "answers 404": Fault(Where.LIST, _status(404)),
    "answers 410": Fault(Where.LIST, _status(410)),
    "pages answer 500": Fault(Where.ODD_PAGES, _status(500)),
    "resets connections": Fault(Where.HOST, _reset),
    "is no HTTP server": Fault(Where.HOST, _not_http),
    "is empty": Fault(Where.LIST, _body(lambda _: b"")),
}
