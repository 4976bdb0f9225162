"""An issue worth reading: twelve invented articles in four topics, and what it takes to mail them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from digest.deliver.mime import Recipient, Sender
from digest.domain.articles import Image
from digest.domain.issues import Edition, IssueContent, IssueTopic, Item, OtherSource, edition_for
from digest.domain.mail import Page, RenderedIssue, Token, assemble, page_for
from digest.domain.topics import TopicSlug

TEMPLATES = Path(__file__).resolve().parents[1] / "templates" / "email"

CLIMATE, SPACE, CITIES, FOOD = map(TopicSlug, ("climate", "space", "cities", "food"))

TOPICS = (
    IssueTopic(CLIMATE, "Climate & energy"),
    IssueTopic(SPACE, "Space"),
    IssueTopic(CITIES, "Cities"),
    IssueTopic(FOOD, "Food"),
)

SENT_AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def _item(
    position: int,
    source: str,
    path: str,
    title: str,
    takeaways: Iterable[str],
    topics: Iterable[TopicSlug],
    day: int,
    minutes: int,
    *,
    image: Image | None = None,
    also: Iterable[OtherSource] = (),
    language: str = "en",
) -> Item:
    host = source.lower().replace(" ", "-")
    return Item(
        position=position,
        url=f"https://{host}.example.org/2026/11/{path}",
        title=title,
        source=source,
        takeaways=tuple(takeaways),
        topics=tuple(topics),
        published_on=date(2026, 11, day),
        reading_minutes=minutes,
        language=language,
        image=image,
        also=tuple(also),
    )


ITEMS = (
    _item(
        0,
        "Meridian",
        "tidal-array",
        "The tidal array nobody can see has now run for a thousand days",
        (
            "Six turbines on the bed of the Arne strait missed 31 of 1,000 days, most in the first winter.",
            "A year of power costs 38% less than under the first contract, as a barge replaces divers.",
            "The next strait along has twice the flow, and a ferry company that has not yet been asked.",
        ),
        (CLIMATE,),
        18,
        6,
        image=Image(
            "https://meridian.example.org/img/strait.jpg", "A strait at slack water, seen from the cliff"
        ),
        also=(
            OtherSource("Northlight", "https://northlight.example.org/energy/tidal-thousand"),
            OtherSource("The Long Table", "https://long-table.example.org/notes/sea-power?ref=week"),
        ),
    ),
    _item(
        1,
        "Northlight",
        "heat-pump-school",
        "A school for heat-pump fitters fills its third year in an afternoon",
        (
            "Four applicants stood in line for every place; half had fitted gas boilers for ten years.",
            "What holds the trade back is no longer parts, but people who may sign off an installation.",
        ),
        (CLIMATE, CITIES),
        17,
        4,
    ),
    _item(
        2,
        "Harbour Post",
        "peat",
        "Rewetted peat began to store carbon two years sooner than the models said",
        (
            "Gauges in 44 fields turned from source to sink in their fourth summer, not their sixth.",
            "Fields that farmers still graze did no worse than those left alone.",
            "The saving pays for itself only where the drainage board closes its pumps as well.",
        ),
        (CLIMATE,),
        20,
        8,
    ),
    _item(
        3,
        "Meridian",
        "quiet-star",
        "A quiet star, and the first weather map of a planet around it",
        (
            "Astronomers traced a band of cloud on a world 41 light-years away over eleven nights.",
            "The cloud forms at dusk and is gone by dawn, which fits silicate haze and not water.",
        ),
        (SPACE,),
        19,
        7,
        image=Image("https://meridian.example.org/img/planet.jpg", ""),
    ),
    _item(
        4,
        "Orbit Ledger",
        "debris-bond",
        "Launch companies will pay a deposit for every satellite, and get it back when it burns",
        (
            "From 2028 each satellite needs a bond of 2% of its launch price.",
            "Insurers asked for the rule: debris claims doubled in three years.",
            "Small operators may pool their deposits.",
        ),
        (SPACE,),
        16,
        5,
        also=(OtherSource("Meridian", "https://meridian.example.org/2026/11/deposit"),),
    ),
    _item(
        5,
        "Orbit Ledger",
        "lander",
        "The lander that fell over is still the best seismometer on the Moon",
        ("Lying on its side, it heard 212 moonquakes in a year, three times what was planned.",),
        (SPACE,),
        21,
        3,
    ),
    _item(
        6,
        "Le Phare",
        "tramway",
        "À Brest, le tramway a rendu leur rue aux écoliers",
        (
            "Un an après, 61 % des élèves viennent à pied ou à vélo ; ils étaient 38 % avant les travaux.",
            "Les commerçants, d’abord hostiles, demandent l’extension de la zone.",
        ),
        (CITIES,),
        18,
        5,
        language="fr",
    ),
    _item(
        7,
        "Harbour Post",
        "night-bus",
        "The night bus that waits for the kitchen staff",
        (
            "Drivers on line 9 hold the last bus until the restaurants on the quay have closed.",
            "Late-shift absences in the quarter fell by a fifth within four months.",
        ),
        (CITIES, FOOD),
        17,
        4,
    ),
    _item(
        8,
        "Northlight",
        "shade-law",
        "Seville writes shade into its building code",
        (
            "New streets need cover for 40% of their pavement at three in the afternoon in July.",
            "Awnings count, trees count double, and parked cars do not.",
            "The first plan to fail was the city’s own.",
        ),
        (CITIES, CLIMATE),
        22,
        6,
    ),
    _item(
        9,
        "The Long Table",
        "bread-prices",
        "Why bread became cheaper where bakers bought their mill",
        (
            "Fourteen bakeries bought the valley’s last mill together in 2022.",
            "Flour now costs them 19% less than on the open market, and the loaf 6% less.",
        ),
        (FOOD,),
        16,
        9,
    ),
    _item(
        10,
        "The Long Table",
        "kelp",
        "Kelp, forty ways: a cook’s notes from a winter on the coast",
        ("Dry it fast and toast it late.", "The stalk, mostly thrown away, makes the better stock."),
        (FOOD,),
        20,
        11,
    ),
    _item(
        11,
        "Harbour Post",
        "oysters",
        "Oyster growers count the cost of a warm October",
        (
            "Losses reached a third of the young stock in the inner bay.",
            "Growers who had moved their trays deeper in spring lost almost nothing.",
        ),
        (FOOD, CLIMATE),
        19,
        5,
    ),
)


def sample_issue(**overrides: object) -> IssueContent:
    """Return the issue of 16 to 22 November 2026, twelve items in four topics."""
    content = IssueContent(
        newsletter="The Saturday Reader",
        language="en",
        first_day=date(2026, 11, 16),
        last_day=date(2026, 11, 22),
        sender_name="Reader & Sons Press",
        postal_address="12 Quay Street\nHarbourtown HT1 2AB",
        topics=TOPICS,
        items=ITEMS,
        intro=(
            "This week’s reading is about patience: turbines that ran for a thousand days, "
            "peat that needed four summers, and a bus that waits."
        ),
    )
    return replace(content, **overrides)  # type: ignore[arg-type]


def many(count: int) -> tuple[Item, ...]:
    """Return so many items: the twelve again and again, under titles and addresses of their own."""
    return tuple(
        replace(
            item, position=n, title=f"{item.title} ({n})" if round_ else item.title, url=f"{item.url}?n={n}"
        )
        for n in range(count)
        for round_, item in [(n // len(ITEMS), ITEMS[n % len(ITEMS)])]
    )


_WORDS = {
    "de": (
        "Die Wochenlese",
        "Diese Woche geht es um Geduld: um Turbinen, Moore und einen Bus, der wartet.",
        "Das Gezeitenkraftwerk, das niemand sieht, läuft seit tausend Tagen",
        "Ein Jahr Strom kostet 38 % weniger als im ersten Vertrag, weil ein Ponton die Taucher ersetzt.",
        ("Klima & Energie", "Weltraum", "Städte", "Essen"),
    ),
    "ar": (
        "قراءات السبت",
        "موضوع هذا الأسبوع هو الصبر: توربينات عملت ألف يوم، وحافلة تنتظر ركابها.",
        "محطة المد والجزر التي لا يراها أحد تعمل منذ ألف يوم",
        "انخفضت كلفة الكهرباء في عام واحد بنسبة 38% عما كانت عليه في العقد الأول.",
        ("المناخ والطاقة", "الفضاء", "المدن", "الطعام"),
    ),
}
"""A newsletter's name, its opening line, a headline, a takeaway and four topics, by language."""


def issue_in(language: str, count: int, *, pictures: bool = True) -> IssueContent:
    """Return an issue of `count` articles in English, German or Arabic, all of them with pictures or none."""
    picture = Image("https://pictures.example.org/1.jpg", "Slack water") if pictures else None
    items = tuple(replace(item, image=picture, language=language) for item in many(count))
    content = sample_issue(items=items, number=12)
    if language in _WORDS:
        name, intro, title, takeaway, topics = _WORDS[language]
        content = replace(
            content,
            language=language,
            newsletter=name,
            intro=intro,
            items=tuple(
                replace(item, title=f"{title} ({item.position})", takeaways=(takeaway,) * len(item.takeaways))
                for item in items
            ),
            topics=tuple(replace(t, name=own) for t, own in zip(TOPICS, topics, strict=True)),
        )
    used = {topic for item in content.items for topic in item.topics}
    return replace(content, topics=tuple(topic for topic in content.topics if topic.slug in used))


def one_item(**overrides: object) -> IssueContent:
    """Return an issue of a single item, with `overrides` to that item."""
    item = replace(ITEMS[0], **overrides)  # type: ignore[arg-type]
    return sample_issue(items=(item,))


def everything(content: IssueContent) -> Edition:
    """Return the edition of a reader who follows every topic."""
    topics = [topic.slug for topic in content.topics]
    return edition_for(content.outline, topics)


PERSONAL = {
    Token.EMAIL: "reader@example.com",
    Token.UNSUBSCRIBE_URL: "https://digest.example.org/u/eyJzIjoxMjM0NX0.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789?a=1&b=2",
    Token.PREFERENCES_URL: "https://digest.example.org/p/eyJzIjoxMjM0NX0.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
    Token.ONLINE_URL: "https://digest.example.org/i/2026-47/.hidden",
}

SENDER = Sender(
    name="The Saturday Reader",
    address="reader@news.example.org",
    list_id="saturday.news.example.org",
    feedback_id="saturday:digest:example-org",
    reply_to="desk@example.org",
    owner="owner@example.org",
    archive_url="https://digest.example.org/archive",
)


def sample_recipient(**overrides: str) -> Recipient:
    """Return the recipient whose values are `PERSONAL`."""
    recipient = Recipient(
        email=PERSONAL[Token.EMAIL],
        message_id="<d1.2026-47@news.example.org>",
        unsubscribe_url=PERSONAL[Token.UNSUBSCRIBE_URL],
        preferences_url=PERSONAL[Token.PREFERENCES_URL],
        online_url=PERSONAL[Token.ONLINE_URL],
    )
    return replace(recipient, **overrides)


def page_of(issue: RenderedIssue, edition: Edition) -> Page:
    """Return the page that the reader of `PERSONAL` is shown."""
    return page_for(assemble(issue, edition), PERSONAL)
