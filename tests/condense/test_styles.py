import pytest

from digest.condense.language import get_language
from digest.condense.styles import Manner
from digest.condense.takeaways import condense_article
from digest.condense.words import WORD, count_words
from digest.domain.articles import Style
from tests.condense.samples import HARBOUR, article, paragraph


def against(sentence: str, style: Style, language: str = "en") -> float:
    return Manner(style, get_language(language), letters=5).against(sentence, WORD.findall(sentence))


@pytest.mark.parametrize(
    ("language", "plain_fact", "judged"),
    [
        ("en", "The wall is 4 km long.", "The wall is incredibly long."),
        ("en", "The wall is 4 km long.", "The wall is 4 km long!"),
        ("en", "The wall is long, the board said.", "“The wall is long and high,” the board said."),
        ("de", "Die Mauer ist 4 km lang.", "Die Mauer ist unglaublich lang."),
        ("fr", "La digue est longue.", "La digue est magnifique."),
        ("es", "El dique es largo.", "El dique es espectacular."),
        ("it", "La diga è lunga.", "La diga è straordinaria."),
        ("pt", "O dique é longo.", "O dique é maravilhoso."),
        ("nl", "De dijk is lang.", "De dijk is prachtig."),
        ("pl", "Wał jest długi.", "Wał jest wspaniały."),
    ],
)
def test_neutral_prefers_what_is_reported_to_what_is_judged(
    language: str, plain_fact: str, judged: str
) -> None:
    assert against(plain_fact, Style.NEUTRAL, language) < against(judged, Style.NEUTRAL, language)


def test_plain_prefers_short_words_and_one_statement_at_a_time() -> None:
    short = against("The town will build a wall to keep out the sea.", Style.PLAIN)
    assert short == 0
    assert against("Municipal representatives authorised coastal fortification.", Style.PLAIN) > short
    assert against("The town will build a wall; the sea -- it rose -- is high.", Style.PLAIN) > short


def test_brief_takeaways_are_shorter_and_without_asides() -> None:
    usual, brief = (
        [takeaway.text for takeaway in condense_article(HARBOUR, style=style).takeaways]
        for style in (Style.NEUTRAL, Style.BRIEF)
    )
    assert sum(map(count_words, brief)) < sum(map(count_words, usual))
    assert not any("(" in text or ", ending" in text for text in brief)


def test_a_style_never_leaves_an_article_without_takeaways() -> None:
    source = article(paragraph("“What an incredible, magnificent; stunning wall this is,” said the chair!"))
    for style in Style:
        assert len(condense_article(source, style=style).takeaways) == 1
