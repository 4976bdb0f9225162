import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.condense.sentences import split_sentences

LANGUAGES = [None, "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "xx"]


def sentences(text: str, language: str | None = "en") -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Mr. Hale and Dr. Osei met Gov. Lund in St. Mary's on Monday."),
        ("en", "The U.S. Senate met at 9 a.m. Monday in Washington, D.C."),
        ("en", "The plan, by J. R. Hartley, lost 3.5 percent to No. 7 on the list."),
        ("en", "“Is it over?” he asked."),
        ("en", "Yahoo! said it would pay."),
        ("de", "Am 3. Oktober kamen z. B. Gäste aus ca. 20 Ländern, d. h. mehr als im Vorjahr."),
        ("de", "Die Werkstatt in der Industriestr. 12 und am Marktpl. 3 bleibt."),
        ("de", "Der Bau kostet 18,5 Mio. Euro, sagte Dr. Anna Beispiel."),
        ("fr", "Le maire, M. Dupont, a reçu Mme. Durand à St. Malo."),
        ("es", "El Sr. Ejemplo viaja a EE.UU. mañana."),
        ("es", "EE. UU. firmó el acuerdo con D. Juan Ejemplo."),
        ("ko", "그는 “끝났다.”라고 말했다."),
        ("it", "Il sig. Esempio abita in via Roma, al n. 5 di Torino."),
        ("de", "Der Bau kostet rd. 310.000 Euro."),
        ("fr", "« On coupe des arbres de cent ans ! », s'indigne la présidente."),
        ("zh", "“这样连医院都去不了。”店主说。"),
        ("pt", "O Sr. Exemplo e a Dra. Silva falaram às 9 horas."),
        ("nl", "Mevr. De Boer kwam met o.a. Drs. Jansen."),
        ("pl", "Prof. Przykład mieszka przy ul. Długiej 5 od ok. 20 lat, tj. od 2004 roku."),
    ],
)
def test_an_abbreviation_does_not_end_a_sentence(language: str, text: str) -> None:
    assert sentences(text, language) == [text]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "It rose 3.5%. Prices fell.", ["It rose 3.5%.", "Prices fell."]),
        ("en", "He lives in the U.S. The rest moved.", ["He lives in the U.S.", "The rest moved."]),
        ("en", "He said no. The vote failed.", ["He said no.", "The vote failed."]),
        ("en", "Plan B. It failed.", ["Plan B.", "It failed."]),
        ("en", "“It is over.” Then she left.", ["“It is over.”", "Then she left."]),
        ("en", '"Go!" "No."', ['"Go!"', '"No."']),
        ("de", "Es kostet 3 Mio. Der Rat zahlt.", ["Es kostet 3 Mio.", "Der Rat zahlt."]),
        ("es", "Llegó tarde. ¿Por qué? Nadie lo sabe.", ["Llegó tarde.", "¿Por qué?", "Nadie lo sabe."]),
        ("fr", "« C'est fini. » Le maire part.", ["« C'est fini. »", "Le maire part."]),
        ("pl", "To 12 proc. Reszta spadła.", ["To 12 proc.", "Reszta spadła."]),
        ("de", "Es ist aus. »Endlich«, sagte er.", ["Es ist aus.", "»Endlich«, sagte er."]),
        ("zh", "费用是二十亿。“太贵了。”他说。", ["费用是二十亿。", "“太贵了。”他说。"]),
        ("ja", "議会は可決した。費用は20億円だ。", ["議会は可決した。", "費用は20億円だ。"]),
        ("ja", "市長は「よい。」と述べた。終わり。", ["市長は「よい。」と述べた。", "終わり。"]),
        ("hi", "यह पहला वाक्य है। यह दूसरा है।", ["यह पहला वाक्य है।", "यह दूसरा है।"]),
        ("de", "„Wir warten.“ Danach ging er.", ["„Wir warten.“", "Danach ging er."]),
        ("pl", "„To koniec.” Potem wyszedł.", ["„To koniec.”", "Potem wyszedł."]),
        ("zh", "市议会通过。费用是二十亿！", ["市议会通过。", "费用是二十亿！"]),
        ("ko", "시의회는 통과시켰다. 비용은 3.5억 원이다.", ["시의회는 통과시켰다.", "비용은 3.5억 원이다."]),
        (None, "First one. Second one.", ["First one.", "Second one."]),
        ("en", "A headline without a stop\n\nThe text.", ["A headline without a stop", "The text."]),
        ("en", "Latest: • One thing • Another thing", ["Latest:", "One thing", "Another thing"]),
        ("en", "One is enough!! ... ", ["One is enough!! ..."]),
    ],
)
def test_a_sentence_ends_where_a_reader_would_end_it(
    language: str | None, text: str, expected: list[str]
) -> None:
    assert sentences(text, language) == expected


@pytest.mark.parametrize("text", ["", " \n\n ", "...", "• •", "—"])
def test_a_text_without_words_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


@given(
    text=st.text(alphabet=st.sampled_from("aBé中。 .!?\n\"'“”«»()•3,zZ…-"), max_size=80),
    language=st.sampled_from(LANGUAGES),
)
def test_no_word_is_lost_and_no_sentence_overlaps(text: str, language: str | None) -> None:
    spans = split_sentences(text, language)
    end = 0
    for span in spans:
        assert end <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip() == text[span.start : span.end]
        assert not any(character.isalnum() for character in text[end : span.start])
        end = span.end
    assert not any(character.isalnum() for character in text[end:])
