from digest.compose.novelty import LIKE, echoes
from digest.domain.articles import Article, Block, BlockKind

FLOOD = (
    "The harbour board of Port Ellery voted to build a flood wall along the old quay for 83 million euros."
)
OTHERS = (
    "A comet grew a second tail that points towards the sun, observers on three continents report.",
    "Bakers buy all the rye that nine farms in the hills can grow, and pay twice the price of wheat.",
    "Night ferries sail again after nine years, and lorry drivers sleep on board.",
)


def article(name: str, text: str) -> Article:
    return Article(f"https://example.org/{name}", name, (Block(BlockKind.PARAGRAPH, text),))


WEEK = [article(f"other {number}", text) for number, text in enumerate(OTHERS)]


def test_what_an_earlier_issue_told_is_an_echo_and_names_it() -> None:
    told = [article("Wall voted", FLOOD)]
    retold = article(
        "Wall", "Port Ellery is to build a flood wall along its old quay; the harbour board voted so."
    )
    found = echoes([retold, *WEEK], told)
    assert found[1:] == [None] * 3
    assert found[0] is not None
    assert found[0].title == "Wall voted"
    assert LIKE <= found[0].likeness <= 1


def test_a_follow_up_with_news_is_less_of_an_echo_than_a_repetition() -> None:
    news = article(
        "Wall in court",
        "Fish traders of Port Ellery went to court against the flood wall. The judge, Ines Amaro, stopped "
        "all work until March, because nobody asked what two lost seasons cost the market and its families.",
    )
    told = [article("Wall voted", FLOOD)]
    same, follow_up = echoes([article("again", FLOOD), news], [*told, *WEEK])
    assert same is not None
    assert follow_up is None or follow_up.likeness < same.likeness


def test_nothing_told_nothing_read_and_the_very_same_article_make_no_echo() -> None:
    assert echoes([article("a", FLOOD)], []) == [None]
    assert echoes([], [article("a", FLOOD)]) == []
    assert echoes([article("a", FLOOD)], [article("a", FLOOD)]) == [None]
    assert echoes([article("-", "")], [article("–", "")]) == [None]
