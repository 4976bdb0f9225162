"""Pages to be read in tests: a head, a body of prose, and what stands around it."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.gather.pages.extract import Reading, examine_page

URL = "https://valley.example/news/bridge-opens-in-may"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

_SENTENCES = {
    "en": "<p>The council of the valley spoke in meeting number {} about its old bridge of stone.</p>",
    "de": "<p>Der Rat des Tals sprach in seiner Sitzung Nummer {} über die alte Brücke aus Stein.</p>",
    "fr": "<p>Le conseil de la vallée a parlé, dans sa séance numéro {}, du vieux pont.</p>",
    "es": "<p>El consejo del valle habló en su reunión número {} sobre el viejo puente de piedra.</p>",
    "it": "<p>Il consiglio della valle ha parlato nella riunione numero {} del vecchio ponte di pietra.</p>",
    "pt": "<p>O conselho do vale falou na reunião número {} sobre a velha ponte de pedra.</p>",
    "nl": "<p>De raad van het dal sprak in vergadering nummer {} over de oude stenen brug.</p>",
}


def prose(paragraphs: int = 8, language: str = "en") -> str:
    """Return paragraphs of about 15 words each, no two the same."""
    return "".join(_SENTENCES[language].format(number) for number in range(paragraphs))


def examine(head: str = "", body: str | None = None, *, url: str = URL, html: str = "") -> Reading:
    """Return what is made of a page with this head and article."""
    shown = prose() if body is None else body
    markup = f"<!doctype html><html{html}><head>{head}</head><body><article>{shown}</article></body></html>"
    return examine_page(markup.encode(), url=url, now=NOW)


def json_ld(content: str) -> str:
    """Return a script with JSON-LD of a news article; `content` are its other properties."""
    article = '{"@type": "NewsArticle", "headline": "Bridge opens in May"' + (
        f", {content}}}" if content else "}"
    )
    return f'<script type="application/ld+json">{article}</script>'
