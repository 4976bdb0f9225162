"""Money is counted when it is spent, and at its most where nobody knows."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.domain.articles import Usage
from digest.domain.newsletters import Newsletter
from digest.store.articles import ArticleId
from digest.store.database import reading, writing
from digest.store.newsletters import remove_newsletter
from digest.store.spending import ArticleAccount, Spent, account_of, begin_call, settle_call, spent_since
from tests.stored import NOW, sample_article, stored_article, stored_newsletter, stored_source

LATER = NOW + timedelta(minutes=5)


class Books:
    """Two newsletters, of which the one with an article asks a model."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.newsletter: Newsletter = stored_newsletter(engine)
        self.other: Newsletter = stored_newsletter(engine, slug="daily")
        source = stored_source(engine, self.newsletter, "Meridian")
        self.article: ArticleId = stored_article(engine, self.newsletter, source, sample_article("tides"))

    def call(self, usage: Usage | None, *, most: int = 900, is_stored: bool = True) -> None:
        """A call five minutes after `NOW`; None: nobody knows what it came to."""
        article = self.article if is_stored else None
        with writing(self.engine) as session:
            number = begin_call(session, self.newsletter.id, article, most=most, now=LATER)
        if usage is not None:
            with writing(self.engine) as session:
                settle_call(session, number, usage)

    def spent(self, newsletter: Newsletter | None = None, *, after: timedelta = timedelta()) -> Spent:
        with reading(self.engine) as session:
            return spent_since(session, (newsletter or self.newsletter).id, LATER + after)

    def account(self) -> ArticleAccount:
        with reading(self.engine) as session:
            return account_of(session, self.article)


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine)


def test_what_models_cost_is_summed_from_a_moment_on(books: Books) -> None:
    books.call(Usage(10, 2, 100))
    books.call(Usage(10, 2, 250), is_stored=False)
    assert books.spent() == Spent(350, LATER)
    assert books.spent(after=timedelta(seconds=1)) == Spent(0, None)
    assert books.spent(books.other) == Spent(0, None)


def test_a_call_that_nobody_settled_counts_at_its_most(books: Books) -> None:
    books.call(None)
    books.call(Usage(10, 2, 100))
    assert books.spent() == Spent(1_000, LATER)
    assert books.account() == ArticleAccount(2, 1, 10, 2, 1_000)


def test_a_call_that_cost_nothing_still_says_when_the_model_was_asked(books: Books) -> None:
    books.call(Usage())
    assert books.spent() == Spent(0, LATER)
    assert books.account() == ArticleAccount(1, 0, 0, 0, 0)


def test_an_article_that_no_model_was_asked_about_has_cost_nothing(books: Books) -> None:
    books.call(Usage(1, 1, 2**40), is_stored=False)
    assert books.account() == ArticleAccount(0, 0, 0, 0, 0)
    assert books.spent().cost == 2**40


def test_a_newsletters_calls_go_with_it(books: Books) -> None:
    books.call(None)
    with writing(books.engine) as session:
        remove_newsletter(session, books.newsletter.id)
    assert books.spent() == Spent(0, None)
