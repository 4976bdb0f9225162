"""The page of a reader's settings: what it shows, in words of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date

from digest.address.steps import own_zone
from digest.compose.phrases import Phrases
from digest.compose.untrusted import plain
from digest.compose.views import name_of
from digest.domain.cadences import Cadence, in_order
from digest.domain.newsletters import Newsletter
from digest.domain.subscribers import MOST_ITEMS, SkipReason, Subscription
from digest.domain.topics import TopicSlug
from digest.domain.wished import WEEKDAYS
from digest.pipeline.choosing import Typed
from digest.pipeline.next_issue import NextIssue
from digest.pipeline.reader_pauses import LONGEST

_REGIONS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe"),
    *("Indian", "Pacific"),
)


@dataclass(frozen=True, slots=True)
class HeldView:
    """A topic of the next issue, and the titles and sources of its articles."""

    topic: str
    articles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NextView:
    """What the next issue would hold. `why_not` names why it would be nothing, '' where it is something.

    `leaves` is the day it would leave on, '' where nothing says when.
    """

    leaves: str
    why_not: str
    count: int
    online: int
    held: tuple[HeldView, ...]


@dataclass(frozen=True, slots=True)
class SettingsView:
    """What can be chosen, and what is: `typed` is the form, `wrong` are those of its fields that cannot be.

    `rates` is in how many of the last `lately` issues each topic was. `paused_until` is the day on which a
    pause ends, '' for none. `earliest` and `latest` bound that day, as date fields want it.
    """

    typed: Typed
    wrong: frozenset[str]
    rates: Mapping[str, int]
    lately: int
    cadences: tuple[str, ...]
    weekdays: tuple[tuple[str, str], ...]
    hours: tuple[int, ...]
    zones: Mapping[str, tuple[str, ...]]
    newsletter_zone: str
    languages: tuple[tuple[str, str], ...]
    most: int
    paused_until: str
    until: str
    earliest: str
    latest: str
    coming: NextView | None = None
    has_looked: bool = False


def settings_view(
    newsletter: Newsletter,
    subscription: Subscription,
    spoken: Phrases,
    *,
    typed: Typed,
    lately: tuple[int, Mapping[TopicSlug, int]],
    languages: tuple[str, ...],
    now: datetime,
    wrong: frozenset[str] = frozenset(),
) -> SettingsView:
    """Return the page of one subscription as a form of it stands."""
    tz = own_zone(subscription.subscriber.timezone, newsletter)
    today = now.astimezone(tz).date()
    until = subscription.paused_until and subscription.paused_until.astimezone(tz).date()
    days = spoken.locale.days["stand-alone"]["wide"]
    offered = in_order({*newsletter.cadences, subscription.cadence})
    return SettingsView(
        typed=typed,
        wrong=wrong,
        rates={str(slug): count for slug, count in lately[1].items()},
        lately=lately[0],
        cadences=tuple(cadence.value for cadence in offered),
        weekdays=tuple((name, days[at]) for at, name in enumerate(WEEKDAYS)),
        hours=tuple(range(24)),
        zones=_with_theirs(typed.zone),
        newsletter_zone=_place(newsletter.timezone),
        languages=_named(languages, typed.language),
        most=MOST_ITEMS,
        paused_until=day_in_words(until, spoken) if until else "",
        until=until.isoformat() if until else "",
        earliest=(today + timedelta(days=1)).isoformat(),
        latest=(today + LONGEST).isoformat(),
    )


def next_view(coming: NextIssue, newsletter: Newsletter, typed: Typed, spoken: Phrases) -> NextView:
    """Return what the next issue would hold, clean and in words."""
    tz = own_zone(typed.zone, newsletter)
    leaves = coming.leaves_at.astimezone(tz) if coming.leaves_at else None
    held = tuple(
        HeldView(
            name_of(one.topic),
            tuple((plain(title) or name_of(source), name_of(source)) for title, source in one.articles),
        )
        for one in coming.held
    )
    return NextView(
        leaves=f"{day_in_words(leaves.date(), spoken)}, {leaves:%H:%M}" if leaves else "",
        why_not=_why_not(coming.skip),
        count=sum(len(one.articles) for one in held),
        online=coming.online,
        held=held,
    )


def day_in_words(day: date, spoken: Phrases) -> str:
    """Return a date with its weekday, as this language writes it."""
    return format_date(day, format="full", locale=spoken.locale)


def _why_not(skip: SkipReason | None) -> str:
    """Return which of the page's words say why nothing comes."""
    return "" if skip is None else skip.value


def allowed_cadences(newsletter: Newsletter, subscription: Subscription) -> frozenset[Cadence]:
    """Return the cadences a reader may have: those offered, and the one they have."""
    return frozenset({*newsletter.cadences, subscription.cadence})


@cache
def _zones() -> Mapping[str, tuple[str, ...]]:
    """Return the zones that are named after a place, by region. Reading the zone database takes a while."""
    found: dict[str, list[str]] = {region: [] for region in _REGIONS}
    for name in sorted(available_timezones()):
        region, _, place = name.partition("/")
        if place and region in found:
            found[region].append(name)
    return {region: tuple(names) for region, names in found.items() if names} | {"UTC": ("UTC",)}


def _with_theirs(zone: str) -> Mapping[str, tuple[str, ...]]:
    """Return all zones, with one that a reader has and that no place is called after."""
    zones = _zones()
    if not zone or any(zone in names for names in zones.values()):
        return zones
    return {**zones, zone: (zone,)}


def _place(zone: str) -> str:
    return ZoneInfo(zone).key.replace("_", " ")


def _named(languages: tuple[str, ...], theirs: str) -> tuple[tuple[str, str], ...]:
    """Return the languages that pages speak, each in its own words, and the one a reader has."""
    tags = sorted({*languages, *filter(None, (theirs,))})
    return tuple((tag, _own_name(tag)) for tag in tags)


@lru_cache(maxsize=1024)
def _own_name(tag: str) -> str:
    try:
        name = Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        # Such as `en-UK`, which lists that are imported do have.
        return tag
    return (name or tag).capitalize()
