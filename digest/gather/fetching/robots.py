"""robots.txt as RFC 9309 has it: what of it concerns us, and what that allows. Pure rules.

A file is at once cut down to the group that names us, or else the one for all: a hostile file of 512 KiB
may name ten thousand robots with ten thousand rules, which cost a general parser minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlsplit

PRODUCT_TOKEN = "Digest"  # noqa: S105 (RFC 9309 calls a robot's name so)
ROBOTS_PATH = "/robots.txt"
MAX_ROBOTS_BYTES = 512 * 1024
MAX_CRAWL_DELAY = timedelta(seconds=60)
MAX_RULES = 5000

_TOKEN = re.compile(r"[A-Za-z_-]+|\*")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_AS_THEY_ARE = "".join(chr(code) for code in range(0x21, 0x7F))
_MAX_SITEMAPS = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """A path pattern of robots.txt, normalised, and whether it allows or disallows."""

    pattern: str
    allows: bool


@dataclass(frozen=True, slots=True)
class Robots:
    """What a robots.txt says to us. The empty one allows everything.

    `crawl_delay` is the pause wanted between two requests, at most a minute. `sitemaps` are as written.
    """

    rules: tuple[Rule, ...] = ()
    crawl_delay: timedelta = timedelta(0)
    sitemaps: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes, *, token: str = PRODUCT_TOKEN) -> Robots:
        """Read a file as it came, its first 512 KiB. Never fails: lines that say nothing are passed over.

        With more than 5,000 rules for us everything is disallowed: weighing them would cost us too much,
        and ignoring some of them might cost the site.
        """
        text = body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
        ours, everyones = _Group(), _Group()
        sitemaps = _read(text, {token.lower(): ours, "*": everyones})
        group = ours if ours.is_named else everyones
        return cls(tuple(group.rules), group.crawl_delay, tuple(dict.fromkeys(sitemaps)))

    def allows(self, url: str) -> bool:
        """Say whether `url` may be fetched: the longest match rules, of two equally long the one that allows.

        robots.txt itself always may (RFC 9309 §2.2.2).
        """
        path = path_of(url)
        if path == ROBOTS_PATH:
            return True
        matching = (rule for rule in self.rules if _matches(rule.pattern, path))
        best = max(matching, key=lambda rule: (len(rule.pattern), rule.allows), default=None)
        return best is None or best.allows

    def __str__(self) -> str:
        """Return a robots.txt that says the same to us and nothing to others."""
        lines = [f"User-agent: {PRODUCT_TOKEN}"]
        lines += [f"{'Allow' if rule.allows else 'Disallow'}: {rule.pattern}" for rule in self.rules]
        if self.crawl_delay:
            lines.append(f"Crawl-delay: {self.crawl_delay.total_seconds():g}")
        return "\n".join([*lines, *(f"Sitemap: {sitemap}" for sitemap in self.sitemaps), ""])


@dataclass(slots=True)
class _Group:
    """What is said to one robot, over all groups that name it (RFC 9309 §2.2.1)."""

    is_named: bool = False
    is_too_long: bool = False
    rules: list[Rule] = field(default_factory=list)
    crawl_delay: timedelta = timedelta(0)

    def take(self, name: str, value: str) -> None:
        if name == "crawl-delay":
            self.crawl_delay = max(self.crawl_delay, _delay(value))
        elif value and not self.is_too_long:
            self.rules.append(Rule(_normal_pattern(value), name == "allow"))
            if len(self.rules) > MAX_RULES:
                self.is_too_long = True
                self.rules[:] = [Rule("/", False)]


def _read(text: str, groups: dict[str, _Group]) -> list[str]:
    """Fill `groups`, by the robot's name, and return the sitemaps."""
    current: list[_Group] = []
    sitemaps: list[str] = []
    is_naming = False
    for name, value in _lines(text):
        if name == "sitemap":
            if value and len(sitemaps) < _MAX_SITEMAPS:
                sitemaps.append(value)
        elif name == "user-agent":
            current = _named(value, groups, current if is_naming else [])
            is_naming = True
        elif name in ("allow", "disallow", "crawl-delay"):
            is_naming = False
            for group in current:
                group.take(name, value)
    return sitemaps


def _named(value: str, groups: dict[str, _Group], current: list[_Group]) -> list[_Group]:
    token = _TOKEN.match(value)
    group = groups.get(token[0].lower()) if token else None
    if group is None or group in current:
        return current
    group.is_named = True
    return [*current, group]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in re.split(r"\r\n?|\n", text):
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _delay(value: str) -> timedelta:
    try:
        seconds = float(value)
    except ValueError:
        return timedelta(0)
    limit = MAX_CRAWL_DELAY.total_seconds()
    return timedelta(seconds=min(seconds, limit)) if seconds > 0 else timedelta(0)


def path_of(url: str) -> str:
    """Return the path and query of an absolute URL, normalised for comparison (RFC 9309 §2.2.2)."""
    parts = urlsplit(url)
    # The question mark of an empty query counts, too: it stands in the address that is asked for.
    query = f"?{parts.query}" if "?" in url.partition("#")[0] else ""
    path = (parts.path or "/") + query
    # A * or $ of the URL's own is no wildcard: a pattern means it by %2A and %24.
    return _normal(path).replace("*", "%2A").replace("$", "%24")


def path_matches(pattern: str, path: str) -> bool:
    """Say whether a path pattern with * and a closing $ matches a path made by `path_of`."""
    return _matches(_normal_pattern(pattern), path)


def _normal_pattern(pattern: str) -> str:
    body = pattern.removesuffix("$")
    normal = re.sub(r"\*+", "*", _normal(body).replace("$", "%24"))
    return normal + ("$" if body != pattern else "")


def _normal(path: str) -> str:
    """Return `path` with what is not ASCII escaped, and each escape in its one form."""
    escaped = quote(path, safe=_AS_THEY_ARE, errors="replace")
    return _ESCAPED.sub(_plain_if_unreserved, escaped)


def _plain_if_unreserved(escape: re.Match[str]) -> str:
    char = chr(int(escape[1], 16))
    return char if char in _UNRESERVED else escape[0].upper()


def _matches(pattern: str, path: str) -> bool:
    """Match from the start, in time linear in both: leftmost is enough for all parts but the last."""
    is_whole = pattern.endswith("$")
    first, *parts = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not parts:
        return not is_whole or at == len(path)
    *middle, last = parts
    for part in middle:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return path.endswith(last) and len(path) - len(last) >= at if is_whole else path.find(last, at) >= 0
