from __future__ import annotations

import pytest

from digest.domain.articles import Image
from tests.gather.pages.samples import examine, json_ld, prose

BRIDGE = "https://valley.example/pictures/bridge.jpg"


def test_the_declared_picture_is_shown_with_the_pages_own_words_for_it() -> None:
    body = f"<h1>Bridge</h1><figure><img src='/pictures/bridge.jpg' alt='The new bridge'></figure>{prose()}"
    assert examine(f"<meta property='og:image' content='{BRIDGE}'>", body).article.image == Image(
        BRIDGE, "The new bridge"
    )


@pytest.mark.parametrize(
    "stand_in",
    [
        "/site-logo.png",
        "/img/default-share-image.png",
        "/defaultshareimage-copy.png",
        "/placeholder.jpg",
        "/resize/90/?url=https%3A%2F%2Fvalley.example%2Fdefaultshareimage.png",
        "/pixel.gif",
        "data:image/png;base64,x",
    ],
)
def test_a_logo_or_a_stand_in_is_no_picture_of_the_article(stand_in: str) -> None:
    reading = examine(f"<meta property='og:image' content='{stand_in}'>")
    assert reading.article.image is None
    assert reading.images[0].why
    both = f"<meta property='og:image' content='{stand_in}'>" + json_ld(f'"image": "{BRIDGE}"')
    assert examine(both).article.image == Image(BRIDGE)


@pytest.mark.parametrize(
    "image",
    [f'"{BRIDGE}"', f'["{BRIDGE}", "x"]', f'{{"@type": "ImageObject", "contentUrl": "{BRIDGE}"}}'],
)
def test_json_ld_names_its_picture_in_many_ways(image: str) -> None:
    assert examine(json_ld(f'"image": {image}')).article.image == Image(BRIDGE)


def test_without_a_declaration_the_first_large_figure_after_the_headline_leads() -> None:
    body = (
        "<a href='/other'><figure><img src='/other.jpg'></figure></a><h1>Bridge</h1>"
        "<img src='/face.jpg' width=60><a href='/more'><figure><img src='/more.jpg'></figure></a>"
        f"<figure><img src='{BRIDGE}' alt='It is red'></figure>{prose()}"
    )
    assert examine(body=body).article.image == Image(BRIDGE, "It is red")


def test_a_picture_said_to_be_a_dot_is_none() -> None:
    head = f"<meta property='og:image' content='{BRIDGE}'><meta property='og:image:width' content='1'>"
    assert examine(head).article.image is None
