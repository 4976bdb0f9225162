from __future__ import annotations

import pytest

from digest.gather.pages.boilerplate import furniture_of
from digest.gather.pages.phrases import (
    is_byline,
    is_comments_label,
    is_related_label,
    is_takeaways_label,
)


@pytest.mark.parametrize(
    "label",
    [
        "Key Takeaways",
        "KEY POINTS:",
        "The key takeaways",
        "✅ Key takeaways",
        "In brief",
        "TL;DR",
        "At a glance",
        "What to know",
        "Highlights",
        "Das Wichtigste in Kürze",
        "L’essentiel",
        "Puntos clave",
    ],
)
def test_a_line_that_announces_the_publishers_summary_is_known(label: str) -> None:
    assert is_takeaways_label(label)
    assert not is_related_label(label)


@pytest.mark.parametrize(
    "line", ["The takeaways from the talks were few", "Points of order", "Why brief?", ""]
)
def test_a_heading_of_the_article_announces_no_summary(line: str) -> None:
    assert not is_takeaways_label(line)


@pytest.mark.parametrize(
    "line",
    [
        "Also on Horizon:",
        "Read more",
        "RELATED",
        "More from Horizon",
        "You may also like",
        "Most popular",
        "Recommended for you",
        "Lire aussi :",
        "Mehr zum Thema",
        "Lea también",
    ],
)
def test_a_line_that_leads_to_other_articles_is_known(line: str) -> None:
    assert is_related_label(line)


def test_before_prose_only_a_plain_label_leads_to_other_articles() -> None:
    assert is_related_label("More in common than expected")
    assert not is_related_label("More in common than expected", before_prose=True)
    assert is_related_label("Also on Horizon:", before_prose=True)
    assert is_related_label("Read more", before_prose=True)


@pytest.mark.parametrize(
    "line",
    [
        "Comments",
        "3 Comments",
        "Comments (12)",
        "Leave a Reply",
        "No comments yet",
        "Join the conversation",
        "Kommentare",
        "Laisser un commentaire",
    ],
)
def test_a_line_that_opens_the_comments_is_known(line: str) -> None:
    assert is_comments_label(line)


@pytest.mark.parametrize(
    "line",
    [
        "Share",
        "Share this article",
        "Facebook Twitter LinkedIn",
        "Share on Facebook | Tweet | Copy link",
        "Sign up for our weekly newsletter",
        "Get the best of the week in your inbox every Friday.",
        "Follow the story on Horizon.",
        "Follow us on Mastodon",
        "We use cookies to improve your experience.",
        "Accept all cookies",
        "Your email address will not be published. Required fields are marked *",
        "© 2026 Horizon",
        "Horizon 2026. All rights reserved.",
        "Advertisement",
        "Story continues below advertisement",
        "The post Bridge opens appeared first on Valley News.",
        "READ MORE: How the price of wind fell",
        "Anna Berg writes about energy. Follow her on Mastodon.",
        "Photo: Anna Berg",
        "The wall at low tide. Credit: Anna Berg",
        "* * *",
        "___",
        "Home > Arts",
        "Share this story: [Chatter] [E-mail] [Print]",
    ],
)
def test_furniture_is_known_by_its_words(line: str) -> None:
    assert furniture_of(line)


@pytest.mark.parametrize(
    "line",
    [
        "Share prices fell on Monday.",
        "Sign language is taught in every school of the valley.",
        "Followers of the club marched to the stadium.",
        "They use cookies as bait, said the angler, and the carp come to them.",
        "Subscribers to the service rose by a third to nine million in the year to June.",
        "Read more books, was her advice to the graduates.",
        "The photo shows the bridge before the flood of 1954, when the river rose by four metres.",
        "Comments by the minister were met with laughter.",
        "Print is not dead: the paper sold more copies than in any year since 2010.",
    ],
)
def test_a_sentence_of_an_article_is_not_furniture(line: str) -> None:
    assert not furniture_of(line)
    assert not is_comments_label(line)
    assert not is_related_label(line)


def test_lines_of_author_and_day_are_known_and_sentences_are_not() -> None:
    for line in (
        "By Anna Berg",
        "Published 12 May 2026, 10:30",
        "May 12, 2026",
        "5 min read",
        "Von Jan Weiß",
    ):
        assert is_byline(line), line
    for line in (
        "By the time the rain stopped, it was too late.",
        "Published works fill a shelf",
        "In May 2026",
    ):
        assert not is_byline(line), line
