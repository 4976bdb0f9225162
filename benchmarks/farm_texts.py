"""What the farm publishes: articles nobody wrote, each about something else, on pages like any site's."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random


def _words(text: str) -> list[str]:
    return text.split()


_NOUNS = _words(
    "harbour council river school budget engine museum forest bridge market clinic library railway station "
    "court festival farm laboratory theatre satellite reservoir union airport valley glacier orchestra "
    "archive factory hospital coast island ferry parliament ministry treaty election survey vaccine battery "
    "harvest drought storm tunnel stadium garden bakery vineyard workshop database network sensor telescope"
)
_VERBS = _words(
    "opened closed repaired measured questioned welcomed rejected delayed funded replaced described tested "
    "expanded counted praised reviewed moved surveyed planned abandoned restored recorded doubled halved"
)
_ADJECTIVES = _words(
    "northern quiet costly unexpected public regional ancient digital narrow early wet steady private broken "
    "modest coastal urban rare careful official young shared fragile seasonal sudden foreign"
)
_PEOPLE = _words("officials engineers residents teachers researchers nurses farmers drivers traders")
_SHAPES = (
    "The {a} {n} was {v} after {p} from {x} compared it with the {n2} of {y}, which had {v2} a {a2} {n3}.",
    "{P} said that {x} would not be {v} before the {n} in {y} is {v2}, and that the {a} {n2} could wait.",
    "For {number} years the {n} at {x} has been {v} by {p}, although {y} once {v2} it for a {a} {n2}.",
    "In {x}, a {a} {n} costs {number} crowns, about as much as {p} paid when {y} {v} the {a2} {n2}.",
    "Nobody in {x} expected the {n} to be {v}: the {a} report from {y} had {v2} one {n2} out of {number}.",
    "What {x} makes of the {a} {n} depends on {y}, where {p} {v} {number} of them without a {n2}.",
    "“We {v} the {n} ourselves,” said {x} of the {a} {n2}, “and {y} {v2} it {number} times this year.”",
)
_SYLLABLES = _words("ba be bo dra el fen gar hol ith jun kel lor mar nes or pel ras sol tam ul ver xan zel")
_SHARED = ("Facebook", "Mastodon", "LinkedIn", "E-mail", "Copy link")


@dataclass(frozen=True, slots=True)
class Text:
    """An article before it is laid out. `paragraphs` are plain text."""

    title: str
    slug: str
    author: str
    published_at: datetime
    paragraphs: tuple[str, ...]


def text_of(source: int, article: int, end: datetime) -> Text:
    """Return article `article` of source `source`: always the same, 300 to 900 words."""
    random = Random(source * 1009 + article)
    names = [_name(random) for _ in range(24)]
    topic = f"{random.choice(_ADJECTIVES)} {random.choice(_NOUNS)}"
    title = f"{names[0]} and the {topic} that {names[1]} {random.choice(_VERBS)}"
    words, paragraphs = random.randint(300, 900), list[str]()
    while len(" ".join(paragraphs).split()) < words:
        paragraphs.append(" ".join(_sentence(random, names) for _ in range(random.randint(2, 5))))
    age = timedelta(minutes=random.randint(1, 6 * 24 * 60))
    slug = f"{names[0]}-{topic}-{source}-{article}".lower().replace(" ", "-")
    return Text(title, slug, f"{_name(random)} {_name(random)}", end - age, tuple(paragraphs))


def _name(random: Random) -> str:
    return "".join(random.choices(_SYLLABLES, k=random.randint(2, 4))).capitalize()


def _sentence(random: Random, names: list[str]) -> str:
    x, y = random.sample(names, 2)
    n, n2, n3 = random.choices(_NOUNS, k=3)
    v, v2 = random.choices(_VERBS, k=2)
    a, a2 = random.choices(_ADJECTIVES, k=2)
    people = random.choice(_PEOPLE)
    return random.choice(_SHAPES).format(
        x=x,
        y=y,
        n=n,
        n2=n2,
        n3=n3,
        v=v,
        v2=v2,
        a=a,
        a2=a2,
        p=people,
        P=people.title(),
        number=random.randint(3, 900),
    )


def page_of(text: Text, *, url: str, host: str, others: tuple[tuple[str, str], ...]) -> bytes:
    """Return the page of `text`, 20 to 60 kB. `others` are the titles and addresses of related articles."""
    top, bottom = _frame(host)
    published = text.published_at.isoformat()
    said = json.dumps(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": text.title,
            "datePublished": published,
            "author": {"@type": "Person", "name": text.author},
            "publisher": {"@type": "Organization", "name": host},
        }
    )
    title, share = html.escape(text.title), "".join(f'<li><a href="#">{name}</a></li>' for name in _SHARED)
    related = "".join(f'<li><a href="{link}">{html.escape(name)}</a></li>' for name, link in others)
    body = "".join(f"<p>{html.escape(part)}</p>" for part in text.paragraphs)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} | {host}</title>'
        f'<link rel="canonical" href="{url}"><meta property="og:title" content="{title}">'
        f'<meta property="article:published_time" content="{published}">'
        f'<script type="application/ld+json">{said}</script>{top}<main><article><h1>{title}</h1>'
        f'<p class="byline">By {text.author}</p>'
        f'<time datetime="{published}">{text.published_at:%d %B %Y}</time><ul class="share-bar">{share}</ul>'
        f'<figure><img src="/lead.jpg" alt="A {title}"><figcaption>Photo: {host}</figcaption></figure>{body}'
        f'</article><aside class="related"><h2>More from {host}</h2><ul>{related}</ul></aside></main>{bottom}'
    ).encode()


@lru_cache(maxsize=2000)
def _frame(host: str) -> tuple[str, str]:
    """Return what a site prints above and below every article: 15 to 45 kB."""
    random = Random(host)
    style = "".join(
        f".{_name(random).lower()}-{number}{{margin:{number}px;color:#{random.randrange(1 << 24):06x}}}"
        for number in range(random.randint(100, 500))
    )
    links = "".join(
        f'<li class="item"><a href="/section/{number}">{" and ".join(random.choices(_NOUNS, k=2))}</a></li>'
        for number in range(random.randint(40, 90))
    )
    script = "".join(f"window.q{number}={random.random()};" for number in range(random.randint(100, 400)))
    top = f"<style>{style}</style><script>{script}</script></head><body><nav><ul>{links}</ul></nav>"
    bottom = (
        '<div class="newsletter"><h3>Sign up for our newsletter</h3><form><input name="email"></form>'
        f"</div><footer><ul>{links}</ul><p>© {host}. All rights reserved.</p></footer></body></html>"
    )
    return top, bottom
