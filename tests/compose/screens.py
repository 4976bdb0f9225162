"""What a page looks like in a real browser, measured: size of text, contrast, room to press."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page as Tab
from playwright.sync_api import Route

from digest.domain.mail import Page

Scheme = Literal["light", "dark"]

HEIGHT = 800


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


_PICTURE = _png(1200, 630)


def with_pictures_only(route: Route) -> None:
    """Answer every picture with the same grey one, and nothing else at all."""
    if route.request.resource_type == "image":
        route.fulfill(body=_PICTURE, content_type="image/png")
    else:
        route.abort()


def show(tab: Tab, page: Page, *, width: int = 375, scheme: Scheme = "light") -> Tab:
    """Return the tab with this page in it, on a screen of this width."""
    turn(tab, width, scheme)
    tab.set_content(page.html, wait_until="load")
    return tab


def turn(tab: Tab, width: int, scheme: Scheme) -> None:
    """Give the tab another screen; the page stays."""
    tab.set_viewport_size({"width": width, "height": HEIGHT})
    tab.emulate_media(color_scheme=scheme)


@dataclass(frozen=True, slots=True)
class Looks:
    """What is wrong with how a page looks; `width` is how wide it is, and `texts` how many were looked at.

    `pale` texts have a contrast below 4.5 against what is behind them (WCAG 2.2 §1.4.3), `small` ones are
    below the size asked for; `tight` links are less than 44 px high; `beside` are blocks not wholly below the
    one before.
    """

    width: int
    texts: int
    pale: list[str]
    small: list[str]
    tight: list[str]
    beside: list[str]


def looks_of(tab: Tab, *, smallest: int = 14) -> Looks:
    """Measure the page as it is shown now; text below `smallest` px counts as small."""
    return Looks(**tab.evaluate(_LOOKS, smallest))


_LOOKS = """(smallest) => {
  const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = rgb(color).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (rgb(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const named = (element) => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`;
  const width = document.documentElement.scrollWidth;
  const seen = { width, texts: 0, pale: [], small: [], tight: [], beside: [] };

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(style.color), luminance(behind(element))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    seen.texts += 1;
    if (contrast < 4.5) seen.pale.push(`${named(element)}: ${contrast.toFixed(2)}`);
    if (parseFloat(style.fontSize) < smallest) seen.small.push(`${named(element)}: ${style.fontSize}`);
  }
  const links = ".headline a, a.accent, a.online, a.unsubscribe, a.preferences, a.mute, a.pause";
  for (const link of document.querySelectorAll(links)) {
    if (link.getBoundingClientRect().height < 44) seen.tight.push(named(link));
  }
  let end = 0;
  for (const block of document.querySelectorAll("h1, h2, p, ul, ol, img")) {
    const box = block.getBoundingClientRect();
    if (!box.height) continue;
    if (box.top < end - 1) seen.beside.push(named(block));
    end = Math.max(end, box.bottom);
  }
  return seen;
}"""
