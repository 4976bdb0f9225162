"""Pages to extract from, with what people say is in them: text, title, authors, day, picture."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_SHINGLE = 4
_TOKEN = re.compile(r"\w+")
_SIZE = re.compile(r"[-_](?:\d{2,4}x\d{2,4}|scaled)$")
_OWN_GOLD = Path(__file__).parent / "data" / "pages-dev.json"


class BadFolder(Exception):
    """The folder is not what this program reads; says where and what is wrong."""


@dataclass(frozen=True, slots=True)
class About:
    """What a reader notes of a page's head: the headline, people who wrote it, its day, its lead picture.

    `dates` (ISO days) has two where the hour falls on another day in UTC than on the page. `image` is None
    when the article has no picture of its own.
    """

    title: str
    authors: tuple[str, ...]
    dates: tuple[str, ...]
    image: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A saved page, and what is in it. `about` is None where nobody noted it."""

    name: str
    url: str
    html: bytes
    text: str
    about: About | None


@dataclass(frozen=True, slots=True)
class Shares:
    """Precision and recall, 0 to 1."""

    precision: float
    recall: float


def read_pages(folder: Path) -> list[Page]:
    """Return the pages `NAME.html` of a folder that have a gold text `NAME.txt`, by name.

    `NAME.url` holds a page's address. What is in its head is read from `NAME.json`, from `gold.json`
    (`{NAME: …}`), or from our own notes when the address is the one they were made of. Raises `BadFolder`.
    """
    if not folder.is_dir():
        raise BadFolder(f"{folder} is not a folder")
    notes = _notes(folder)
    files = sorted(file for file in folder.glob("*.html") if file.with_suffix(".txt").is_file())
    if not files:
        raise BadFolder(f"{folder} has no page NAME.html with its text NAME.txt")
    return [_page(file, notes) for file in files]


def _page(file: Path, notes: dict[str, dict[str, object]]) -> Page:
    try:
        address = file.with_suffix(".url")
        url = address.read_text(encoding="utf-8").strip() if address.is_file() else ""
        own = file.with_suffix(".json")
        noted = _loaded(own) if own.is_file() else notes.get(file.stem)
        if noted is not None and "url" in noted and url and noted["url"] != url:
            noted = None
        return Page(
            name=file.stem,
            url=url or f"https://example.org/{file.stem}",
            html=file.read_bytes(),
            text=file.with_suffix(".txt").read_text(encoding="utf-8"),
            about=_about(noted, own) if noted is not None else None,
        )
    except (OSError, UnicodeDecodeError) as exc:
        raise BadFolder(f"{file.with_suffix('')}: {exc}") from exc


def _notes(folder: Path) -> dict[str, dict[str, object]]:
    shared = folder / "gold.json"
    found = _loaded(shared if shared.is_file() else _OWN_GOLD)
    return {name: note for name, note in found.items() if isinstance(note, dict)}


def _loaded(file: Path) -> dict[str, object]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise BadFolder(f"{file}: {exc}") from exc
    if not isinstance(found, dict):
        raise BadFolder(f"{file}: not one JSON object")
    return found


def _about(note: dict[str, object], file: Path) -> About:
    authors, dates = note.get("authors") or [], note.get("dates") or note.get("date") or []
    dates = [dates] if isinstance(dates, str) else dates
    if not isinstance(authors, list) or not isinstance(dates, list):
        raise BadFolder(f"{file}: authors and dates are lists")
    image = note.get("image")
    return About(
        title=str(note.get("title") or ""),
        authors=tuple(map(str, authors)),
        dates=tuple(str(date)[:10] for date in dates),
        image=str(image) if image else None,
    )


def shingle_shares(found: str, gold: str) -> Shares:
    """Return how far two texts agree in sequences of four words, each counted as often as it stands there."""
    one, other = _shingles(found), _shingles(gold)
    shared = (one & other).total()
    return Shares(
        precision=shared / one.total() if one else float(not other),
        recall=shared / other.total() if other else float(not one),
    )


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    if not tokens:
        return Counter()
    return Counter(
        tuple(tokens[start : start + _SHINGLE]) for start in range(max(1, len(tokens) - _SHINGLE + 1))
    )


def same_title(found: str, gold: str) -> bool:
    """Say whether two titles have the same words: quotation marks and capitals are a matter of taste."""
    return _words(found) == _words(gold)


def author_f1(found: list[str], gold: tuple[str, ...]) -> float:
    """Return the F1 of two sets of names; 1 when both are empty."""
    one, other = set(map(_words, found)), set(map(_words, gold))
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def same_picture(found: str | None, gold: str | None) -> bool:
    """Say whether two URLs show one picture in whatever size: the same file, or neither any."""
    return (found and _file(found)) == (gold and _file(gold))


def _file(url: str) -> str:
    parts = urlsplit(url)
    for value in parse_qs(parts.query).get("url", []):
        if value.startswith("http"):
            return _file(value)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2]).casefold()
    return _SIZE.sub("", name.rpartition(".")[0] or name)


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", re.sub(r"['’‘`]", "", text.casefold())))
