from digest.domain.articles import Article
from digest.domain.errors import Refused, Unavailable
from digest.gather.fetching.fetch import Fetched
from digest.gather.steps import Patience
from digest.store.condensed import uncondensed_articles
from digest.store.database import reading
from tests.gather.gathering import DAY, FEED, OTHER_FEED, URL, FakeFetcher, Gathering, entry, feed, page
from tests.stored import stored_article


def test_an_article_that_two_sources_list_is_one_article_seen_twice(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    lists = {FEED: feed(FEED, entry(URL)), OTHER_FEED: feed(OTHER_FEED, entry(f"{URL}?utm_source=n"))}
    polls = gathering.run(FakeFetcher({**lists, URL: page(URL)}))
    assert sorted((polled.new, polled.known) for polled in polls.values()) == [(0, 1), (1, 0)]
    (stored,) = gathering.stored
    assert set(stored.sources) == {"Meridian", "Northlight"}


def test_many_sources_that_list_the_same_at_once_disturb_nobody(gathering: Gathering) -> None:
    names = [f"S{number}" for number in range(6)]
    urls = [f"{URL}-{number}" for number in range(5)]
    answers: dict[str, Fetched | Exception] = {url: page(url, url[-1]) for url in urls}
    for name in names:
        source = gathering.source(name)
        answers[source.url] = feed(source.url, *map(entry, urls))
    polls = gathering.run(FakeFetcher(answers))
    assert sum(polled.new for polled in polls.values()) == 5
    assert sum(polled.known for polled in polls.values()) == 25
    assert [polled.error for polled in polls.values()] == [""] * 6
    assert all(set(stored.sources) == set(names) for stored in gathering.stored)


def test_an_article_that_another_source_lists_later_is_condensed_anew(gathering: Gathering) -> None:
    """All articles of that source may belong to a topic."""
    first = gathering.source()
    article = Article(URL, "Tides", published_at=DAY)
    stored_article(gathering.engine, gathering.newsletter, first, article)
    with reading(gathering.engine) as session:
        assert uncondensed_articles(session, gathering.newsletter.id) == ()
    gathering.source("Northlight")
    gathering.run(FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED, entry(URL))}))
    with reading(gathering.engine) as session:
        assert len(uncondensed_articles(session, gathering.newsletter.id)) == 1


def test_a_source_that_fails_is_told_of_and_the_others_go_on(gathering: Gathering) -> None:
    broken = gathering.source()
    gathering.source("Northlight")
    url = "https://northlight.example.org/a"
    failing: list[Exception] = [
        Unavailable(f"{FEED} answers 503"),
        Refused(f"{FEED} answers 404"),
        ZeroDivisionError("a fault of a parser"),
    ]
    for failure in failing:
        fetcher = FakeFetcher({FEED: failure, OTHER_FEED: feed(OTHER_FEED, entry(url)), url: page(url)})
        polls = gathering.run(fetcher)
        assert FEED in polls["Meridian"].error
        assert polls["Northlight"].error == ""
        assert gathering.now_stored(broken).standing.last_error == polls["Meridian"].error
    assert [article.url for article in gathering.articles] == [url]


def test_reports_of_one_event_are_tied_together(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    other = "https://northlight.example.org/tides-too"
    lists = {FEED: feed(FEED, entry(URL)), OTHER_FEED: feed(OTHER_FEED, entry(other, title="Sea power"))}
    gathering.run(FakeFetcher({**lists, URL: page(URL), other: page(other)}))
    stories = {stored.story_id for stored in gathering.stored}
    assert len(stories) == 1
    assert None not in stories


def test_polls_are_told_of_as_they_end(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED)})
    fetcher.delays[FEED] = 0.1
    told: list[str] = []
    gathering.run(fetcher, on_polled=lambda polled: told.append(polled.source))
    assert told == ["Northlight", "Meridian"]


def test_a_newsletter_without_sources_gathers_nothing(gathering: Gathering) -> None:
    assert gathering.run(FakeFetcher({})) == {}


def test_the_same_words_under_another_address_are_the_same_article(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    copy = "https://northlight.example.org/copied"
    lists = {
        FEED: feed(FEED, entry(URL, title="Tides")),
        OTHER_FEED: feed(OTHER_FEED, entry(copy, title="Tides")),
    }
    gathering.run(FakeFetcher({**lists, URL: page(URL), copy: page(copy)}))
    (stored,) = gathering.stored
    assert set(stored.sources) == {"Meridian", "Northlight"}


def test_a_source_that_hangs_holds_up_nobody(gathering: Gathering) -> None:
    gathering.source()
    gathering.source("Northlight")
    url = "https://northlight.example.org/a"
    fetcher = FakeFetcher({FEED: feed(FEED), OTHER_FEED: feed(OTHER_FEED, entry(url)), url: page(url)})
    fetcher.delays[FEED] = 60
    polls = gathering.run(fetcher, patience=Patience(source=1.0))
    assert polls["Northlight"].new == 1
    assert "did not answer within 1 s" in polls["Meridian"].error


def test_a_run_ends_when_its_time_is_up_and_what_it_did_not_reach_stays_due(gathering: Gathering) -> None:
    gathering.source()
    northlight = gathering.source("Northlight")
    fetcher = FakeFetcher({FEED: feed(FEED, entry(URL)), URL: page(URL), OTHER_FEED: feed(OTHER_FEED)})
    fetcher.delays[OTHER_FEED] = 60
    polls = gathering.run(fetcher, patience=Patience(run=2.0))
    assert list(polls) == ["Meridian"]
    assert gathering.now_stored(northlight).standing.polled_at is None
