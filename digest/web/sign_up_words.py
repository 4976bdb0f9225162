"""What sign-up pages say that no template says itself."""

from __future__ import annotations

from collections.abc import Mapping

from digest.compose.phrases import Phrase
from digest.domain.cadences import Cadence

WORDING = Phrase(
    "sign_up_wording",
    "I want {newsletter} by mail, with the topics I chose. "
    "Each mail has a link to change that, and one to leave.",
)
"""What whoever presses the button agrees to, and what is recorded of it."""

MAY_MEASURE = Phrase(
    "measuring_and_sparing",
    "{newsletter} may measure whether I open its mail and which of its links I follow, to learn which "
    "articles are of use, and to spare me mail if I read none any more. It keeps that under my name for "
    "{days} days and passes it on to nobody. I can take this back in my settings at any time; then what was "
    "measured of me is deleted. Without it I get all of its mail.",
)
"""What a tick says, and what is recorded of it."""

ONLY_MEASURE = Phrase(
    "measuring_wording",
    "{newsletter} may measure whether I open its mail and which of its links I follow, to learn which "
    "articles are of use. It keeps that under my name for {days} days and passes it on to nobody. I can take "
    "this back in my settings at any time; then what was measured of me is deleted. I get the same mail "
    "without it.",
)
"""What it said before segments could ask who reads: readers who agreed to that agreed to no more."""

A_WEEK = Phrase("articles_a_week", "about {count} article a week", "about {count} articles a week")
A_MONTH = Phrase("articles_a_month", "about {count} article a month", "about {count} articles a month")
NONE_LATELY = Phrase("no_articles_lately", "none in the last issues")

CADENCES: Mapping[Cadence, Phrase] = {
    Cadence.EVERY: Phrase("cadence_every", "Every issue"),
    Cadence.WEEKLY: Phrase("one_a_week", "One issue a week"),
    Cadence.FORTNIGHTLY: Phrase("one_a_fortnight", "One issue in two weeks"),
    Cadence.MONTHLY: Phrase("one_a_month", "The first issue of each month"),
}

SAID_OF_SIGN_UPS = (WORDING, MAY_MEASURE, ONLY_MEASURE, A_WEEK, A_MONTH, NONE_LATELY, *CADENCES.values())
