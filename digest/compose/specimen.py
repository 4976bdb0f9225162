"""An issue that shows a template everything it must be able to show."""

from __future__ import annotations

from datetime import date
from typing import Any

from digest.compose.phrases import ENGLISH
from digest.compose.views import SectionView, issue_context, item_view
from digest.domain.articles import Image
from digest.domain.issues import IssueContent, IssueTopic, Item, OtherSource
from digest.domain.layout import Density
from digest.domain.mail import SECTION_COUNT
from digest.domain.themes import Logo, Theme
from digest.domain.topics import TopicSlug

_DAY, _TOPIC = date(2026, 11, 16), TopicSlug("topic")
_BARE = Item(0, "", "Title", "Source", (), (_TOPIC,), _DAY, 1)
_FULL = Item(
    position=1,
    url="https://example.org/",
    title="Title",
    source="Source",
    takeaways=("Takeaway",),
    topics=(_TOPIC,),
    published_on=_DAY,
    reading_minutes=2,
    image=Image("https://example.org/image.png", "Picture"),
    also=(OtherSource("Other", "https://example.net/"),),
)
_ISSUE = IssueContent(
    newsletter="Newsletter",
    language="en",
    first_day=_DAY,
    last_day=_DAY,
    sender_name="Sender",
    postal_address="Address",
    topics=(IssueTopic(_TOPIC, "Topic"),),
    items=(_BARE, _FULL),
    intro="Intro",
    number=1,
)
_THEME = Theme(logo=Logo("https://example.org/logo.png", "Newsletter", 100))


def specimen() -> dict[str, Any]:
    """Return the context of an issue in which every optional thing is there once and missing once."""
    items = [
        item_view(item, "en", ENGLISH, density, also_about=("Other",))
        for item in _ISSUE.items
        for density in Density
    ]
    sections = (SectionView("Topic", "topic", tuple(items)),)
    return issue_context(
        _ISSUE, ENGLISH, _THEME, counts_clicks=True, sections=sections, section_count=SECTION_COUNT
    )
