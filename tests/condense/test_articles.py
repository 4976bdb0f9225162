"""What takeaways of articles in twelve languages must be, at every length a newsletter may ask for."""

import pytest

from digest.condense.candidates import find_candidates
from digest.condense.language import get_language
from digest.condense.sentences import split_sentences
from digest.condense.standing import is_mid_quote, leans
from digest.condense.takeaways import condense_article
from digest.condense.words import count_words, words
from digest.domain.articles import Article, Origin, Style, Takeaway
from tests.condense.corpus import UNSPACED, Judged, judged_articles

ARTICLES = judged_articles()
LENGTHS = (25, 35, 50)
in_every_article = pytest.mark.parametrize("judged", ARTICLES, ids=str)


def supporting(judged: Judged, takeaway: Takeaway) -> str:
    (span,) = takeaway.support
    return judged.article.text[span.start : span.end]


@in_every_article
def test_sentences_are_split_where_a_reader_splits_them(judged: Judged) -> None:
    for paragraph in judged.paragraphs:
        text = ("" if judged.article.language in UNSPACED else " ").join(paragraph)
        spans = split_sentences(text, judged.article.language)
        assert tuple(text[span.start : span.end] for span in spans) == paragraph


@in_every_article
def test_no_line_about_the_page_is_ever_a_candidate(judged: Judged) -> None:
    language = get_language(judged.article.language)
    news = {candidate.text for candidate in find_candidates(judged.article, language)}
    assert not [line for line in judged.furniture if any(text in line for text in news)]


@in_every_article
@pytest.mark.parametrize("max_words", LENGTHS)
def test_no_takeaway_opens_with_what_is_elsewhere(judged: Judged, max_words: int) -> None:
    for takeaway in condense_article(judged.article, max_words=max_words).takeaways:
        assert takeaway.text not in judged.leaning
        assert not is_mid_quote(takeaway.text)


@pytest.mark.parametrize("code", sorted({judged.article.language or "" for judged in ARTICLES}))
def test_nor_does_one_of_a_long_article(code: str) -> None:
    ours = [judged for judged in ARTICLES if judged.article.language == code]
    long = Article(
        "https://example.org/long", "—", tuple(block for one in ours for block in one.article.blocks), code
    )
    texts = {takeaway.text for takeaway in condense_article(long, count=8).takeaways}
    assert texts
    assert texts.isdisjoint(frozenset().union(*(judged.leaning | judged.furniture for judged in ours)))


@in_every_article
@pytest.mark.parametrize("style", Style)
def test_no_style_brings_them_back(judged: Judged, style: Style) -> None:
    texts = {takeaway.text for takeaway in condense_article(judged.article, style=style).takeaways}
    assert texts.isdisjoint(judged.leaning)


@in_every_article
@pytest.mark.parametrize("max_words", LENGTHS)
def test_takeaways_are_sentences_of_the_article_or_less(judged: Judged, max_words: int) -> None:
    takeaways = condense_article(judged.article, max_words=max_words).takeaways
    assert takeaways
    assert len({supporting(judged, takeaway) for takeaway in takeaways}) == len(takeaways)
    for takeaway in takeaways:
        assert takeaway.origin is Origin.EXTRACTIVE
        assert count_words(takeaway.text) <= max_words
        left = iter(words(supporting(judged, takeaway)))
        assert all(word in left for word in words(takeaway.text))


def test_sentences_that_stand_alone_are_hardly_ever_thought_to_lean() -> None:
    alone = [
        (sentence, judged.article.language)
        for judged in ARTICLES
        for paragraph in judged.paragraphs
        for sentence in paragraph
        if sentence not in judged.leaning | judged.hanging
    ]
    wrong = [sentence for sentence, language in alone if leans(sentence, get_language(language))]
    assert len(wrong) <= 0.02 * len(alone), wrong


def test_most_articles_have_as_many_takeaways_as_were_asked_for() -> None:
    whole = [judged for judged in ARTICLES if len(judged.paragraphs) > 2]
    full = [judged for judged in whole if len(condense_article(judged.article).takeaways) == 3]
    assert len(full) >= 0.9 * len(whole)


def test_few_takeaways_hang_on_another_sentence_by_their_sense() -> None:
    taken = [
        (judged, takeaway) for judged in ARTICLES for takeaway in condense_article(judged.article).takeaways
    ]
    hanging = [takeaway for judged, takeaway in taken if takeaway.text in judged.hanging]
    assert len(hanging) <= 0.1 * len(taken)
