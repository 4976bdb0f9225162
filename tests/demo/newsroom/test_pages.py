import html
import json
import re
from collections import Counter
from urllib.parse import urljoin, urlsplit

import pytest
import trafilatura
from lxml import html as lxml_html

from digest.demo.newsroom import Newsroom
from digest.demo.newsroom.catalogue import Published
from tests.demo.web import get

SITES = ("meridian", "northlight", "harbour", "allotment")


def entries(newsroom: Newsroom, site: str = "") -> list[Published]:
    """The published articles whose pages are there, of one site or of all."""
    every = [entry for entry in newsroom.catalogue.published if not entry.article.page_gone]
    return [entry for entry in every if site in ("", entry.site.slug)]


def entry_of(newsroom: Newsroom, slug: str) -> Published:
    return next(entry for entry in newsroom.catalogue.published if entry.article.slug == slug)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def test_every_link_and_picture_of_every_page_is_there(newsroom: Newsroom) -> None:
    (gone,) = (entry.path for entry in newsroom.catalogue.published if entry.article.page_gone)
    waiting, seen = [f"{newsroom.url}/{site}/" for site in SITES], set[str]()
    while waiting:
        url = waiting.pop()
        if url in seen or urlsplit(url).path == gone:
            continue
        seen.add(url)
        answer = get(url)
        assert answer.status == 200, url
        if answer.headers["Content-Type"].startswith("text/html"):
            tree = lxml_html.fromstring(answer.text)
            links = tree.xpath("//a/@href | //img/@src | //link/@href | //form/@action")
            waiting += [urljoin(url, link).partition("#")[0] for link in links]
    assert {entry.url for entry in entries(newsroom)} <= seen
    assert all(url.startswith(newsroom.url) for url in seen)


@pytest.mark.parametrize("site", SITES)
def test_a_page_has_what_real_pages_have(newsroom: Newsroom, site: str) -> None:
    for entry in entries(newsroom, site):
        page = get(entry.url).text
        tree = lxml_html.fromstring(page)
        assert tree.xpath("/html/@lang") == [entry.article.language]
        assert tree.xpath("//link[@rel='canonical']/@href") == [entry.url]
        assert tree.xpath("//meta[@name='description']/@content") == [entry.article.summary]
        assert tree.xpath("//meta[@property='og:image']/@content") == [entry.image_url]
        assert tree.xpath("//title/text()")[0].startswith(entry.article.title)
        assert page.count(html.escape(entry.article.caption)) == 1 + (site != "northlight")
        assert all(html.escape(takeaway) in page for takeaway in entry.article.takeaways)


@pytest.mark.parametrize("site", SITES)
def test_a_page_is_surrounded_by_furniture(newsroom: Newsroom, site: str) -> None:
    entry = next(entry for entry in entries(newsroom, site) if entry.article.language == "en")
    page = get(entry.url).text
    for phrase in ("Leave a Reply", "Also on", "ookies", "Most popular", "Share this story", "Subscribe"):
        assert phrase in page


@pytest.mark.parametrize(
    ("slug", "around"),
    [
        ("grundwasser-niederauen", ("Schreibe einen Kommentar", "Mehr auf", "Meistgelesen", "Startseite")),
        ("grainotheque-valmerle", ("Laisser un commentaire", "À lire aussi", "Les plus lus", "Accueil")),
    ],
)
def test_a_page_in_another_language_is_so_throughout(
    newsroom: Newsroom, slug: str, around: tuple[str, ...]
) -> None:
    page = get(entry_of(newsroom, slug).url).text
    assert all(phrase in page for phrase in around)
    assert not any(phrase in page for phrase in ("Leave a Reply", "Also on", "Most popular"))


def test_trafilatura_finds_nearly_all_of_every_body(newsroom: Newsroom) -> None:
    for entry in entries(newsroom):
        text = trafilatura.extract(get(entry.url).body, url=entry.url, include_comments=False) or ""
        body = words(entry.article.body_on(entry.published_at))
        assert (words(text) & body).total() / body.total() > 0.97, entry.url


def test_structured_data_says_what_the_page_says(newsroom: Newsroom) -> None:
    for entry in entries(newsroom, "meridian"):
        tree = lxml_html.fromstring(get(entry.url).text)
        described = json.loads(tree.xpath("string(//script[@type='application/ld+json'])"))
        assert described["headline"] == entry.article.title
        assert described["datePublished"] == entry.published_at.isoformat()


def test_a_hostile_title_is_text_on_every_page_that_names_it(newsroom: Newsroom) -> None:
    hostile = entry_of(newsroom, "script-in-a-headline")
    for url in (hostile.url, f"{newsroom.url}/northlight/"):
        tree = lxml_html.fromstring(get(url).text)
        assert tree.xpath("//script") == []
        assert hostile.article.title in {text.strip() for text in tree.itertext()}


def test_a_title_with_quotes_ampersand_and_emoji_survives_its_page(newsroom: Newsroom) -> None:
    entry = entry_of(newsroom, "oldest-machine")
    tree = lxml_html.fromstring(get(entry.url).text)
    assert tree.xpath("//h1/text()") == [
        "“Nobody knows what it does” & other notes on the city’s oldest machine 🕰️"
    ]


def test_the_page_without_a_feed_lists_its_articles_and_offers_no_feed(newsroom: Newsroom) -> None:
    tree = lxml_html.fromstring(get(f"{newsroom.url}/allotment/").text)
    listed = tree.xpath("//div[@class='entry']/div[@class='subhead']/a/@href")
    assert listed == [entry.path for entry in entries(newsroom, "allotment")]
    assert tree.xpath("//link[@rel='alternate']") == []
