"""What the sign-up pages are given: an offer in words, and what was typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from digest.compose.phrases import Phrases
from digest.compose.untrusted import find_link, plain
from digest.compose.views import TITLE_MAX, name_of, title_of
from digest.domain.mail import shorten
from digest.domain.newsletters import Newsletter
from digest.domain.times import zone
from digest.domain.topics import TopicSlug
from digest.pipeline.sign_ups import Offer
from digest.web.archive_looks import Look, look_of
from digest.web.archive_views import Place, language_of, name_of_newsletter
from digest.web.measuring_words import asked_of
from digest.web.sign_up_words import A_MONTH, A_WEEK, CADENCES, NONE_LATELY, WORDING

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français"}
"""Languages that readers' pages speak, each by its own name."""

EACH = 3
"""Articles of each topic in a sample: enough to see what it is about."""

_WEEKS_A_MONTH = 365.25 / 12 / 7


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """A topic to tick. `number` names it in the style sheet; `often` is '' while nothing was published."""

    slug: TopicSlug
    number: int
    name: str
    description: str
    often: str
    is_ticked: bool
    depth: int = 0


@dataclass(frozen=True, slots=True)
class SampleLine:
    """An article of the last issue. `url` and `source` only stand where everybody may read the archive."""

    title: str
    language: str
    url: str | None
    source: str
    topics: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """What the last issue had. `path` leads to it in the archive, '' where there is none."""

    days: str
    lines: tuple[SampleLine, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, as far as it can be read; `sure` is an address they were asked about.

    `spoken` is the language that the form was shown in.
    """

    email: str = ""
    topics: frozenset[str] = frozenset()
    cadence: str = ""
    language: str = ""
    name: str = ""
    sure: str = ""
    shown: str = ""
    spoken: str = ""
    trap: str = ""
    is_form: bool = False
    may_measure: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What is asked for once more: which field, and why, as the template knows it. `meant` is an address."""

    kind: str
    meant: str = ""


@dataclass(frozen=True, slots=True)
class OfferView:
    """A newsletter's sign-up page. `written_in` is its own language, `spoken` how the page speaks.

    `measuring` is what a tick agrees to, '' where nobody is asked.
    """

    slug: str
    name: str
    sender: str
    written_in: str
    spoken: Phrases
    look: Look
    wording: str
    measuring: str
    topics: tuple[TopicChoice, ...]
    cadences: tuple[tuple[str, str], ...]
    languages: Mapping[str, str]
    language: str
    sample: Sample | None
    typed: Typed = field(default_factory=Typed)
    problem: Problem | None = None


def offer_view(offer: Offer, spoken: Phrases, typed: Typed, *, problem: Problem | None = None) -> OfferView:
    """Return an offer in words, with what was typed."""
    newsletter = offer.newsletter
    language = typed.language if typed.language in LANGUAGES else spoken.language.partition("-")[0]
    return OfferView(
        slug=newsletter.slug,
        name=name_of_newsletter(newsletter),
        sender=newsletter.sender_email,
        written_in=language_of(newsletter.language, "en"),
        spoken=spoken,
        look=look_of(newsletter.theme, f"/subscribe/{newsletter.slug}"),
        wording=wording_of(newsletter, spoken),
        measuring=asked_of(newsletter, spoken, days=offer.measured_days),
        topics=_choices(offer, spoken, typed.topics),
        cadences=tuple((cadence.value, spoken.said(CADENCES[cadence])) for cadence in newsletter.cadences),
        languages=LANGUAGES,
        language=language if language in LANGUAGES else "en",
        sample=_sample(offer, spoken),
        typed=typed,
        problem=problem,
    )


def wording_of(newsletter: Newsletter, spoken: Phrases) -> str:
    """Return what whoever presses the button agrees to."""
    return spoken.said(WORDING, newsletter=name_of_newsletter(newsletter))


def agreed_wording(offer: Offer, spoken: Phrases, *, may_measure: bool) -> str:
    """Return all that a form agrees to: with `may_measure`, what its tick said, too."""
    measuring = asked_of(offer.newsletter, spoken, days=offer.measured_days) if may_measure else ""
    return " ".join(filter(None, (wording_of(offer.newsletter, spoken), measuring)))


def often(spoken: Phrases, weekly: Mapping[TopicSlug, float] | None, slug: TopicSlug) -> str:
    """Return how often a topic appears, in words; '' while nothing was published."""
    if weekly is None:
        return ""
    rate = weekly.get(slug, 0.0)
    if rate == 0:
        return spoken.said(NONE_LATELY)
    if rate >= 1:
        return spoken.counted(A_WEEK, round(rate))
    return spoken.counted(A_MONTH, max(1, round(rate * _WEEKS_A_MONTH)))


def day_in(spoken: Phrases, newsletter: Newsletter, moment: datetime | None) -> str:
    """Return the day of a moment by the newsletter's clock, '' for none."""
    return spoken.day(moment.astimezone(zone(newsletter.timezone)).date()) if moment else ""


def _choices(offer: Offer, spoken: Phrases, ticked: Collection[str]) -> tuple[TopicChoice, ...]:
    return tuple(
        TopicChoice(
            topic.slug,
            number,
            name_of(topic.name),
            plain(topic.description),
            often(spoken, offer.weekly, topic.slug),
            topic.slug in ticked,
        )
        for number, topic in enumerate(offer.topics)
    )


def _sample(offer: Offer, spoken: Phrases) -> Sample | None:
    """Return the first articles of each topic in the last issue, in its own order; None where it has none.

    Without a public archive it names what they are called, and no more: the rest is for readers.
    """
    last, newsletter = offer.last, offer.newsletter
    if last is None:
        return None
    numbers = {topic.slug: number for number, topic in enumerate(offer.topics)}
    language = language_of(last.content.language, "en")
    shown: dict[int, int] = dict.fromkeys(numbers.values(), 0)
    lines = []
    for position in last.edition(numbers).positions if numbers else ():
        item = last.content.items[position]
        its = tuple(sorted(numbers[topic] for topic in item.topics if topic in numbers))
        if all(shown[number] >= EACH for number in its):
            continue
        for number in its:
            shown[number] += 1
        lines.append(
            SampleLine(
                shorten(title_of(item), TITLE_MAX),
                language_of(item.language, language),
                find_link(item.url) if newsletter.archive else None,
                name_of(item.source) if newsletter.archive else "",
                its,
            )
        )
    path = Place("", newsletter.slug).path(last.number) if newsletter.archive else ""
    days = spoken.days(last.content.first_day, last.content.last_day)
    return Sample(days, tuple(lines), path) if lines else None
