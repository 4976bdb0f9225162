import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.compose.untrusted import find_image, find_link, paragraphs, plain
from digest.domain.mail import TOKEN, Token

ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("given_text", "left"),
    [
        ("one\r\nBcc: two", "one Bcc: two"),
        ("tab\there  and\u2028there", "tab here and there"),
        ("nul\x00 bell\x07 del\x7f csi\x9b", "nul bell del csi"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("a\u2066b\u2069", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("\ufeffstart", "start"),
        (f"forged {Token.EMAIL.mark}", "forged email"),
        ("« Non\u00a0! »", "« Non\u00a0! »"),
        ("عربي \u200f123", "عربي \u200f123"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_plain_text_keeps_its_words_and_loses_what_forges(given_text: str, left: str) -> None:
    assert plain(given_text) == left


@given(ANY_TEXT)
@example("0\r\x1b 0")
def test_plain_text_is_one_line_that_can_be_encoded_and_holds_no_token(text: str) -> None:
    left = plain(text)
    left.encode()
    assert len(left.splitlines()) <= 1
    assert not TOKEN.search(left)
    assert plain(left) == left


def test_blank_lines_part_paragraphs_and_single_breaks_do_not() -> None:
    assert paragraphs("one\nstill one\r\n\r\n  two\n\n\n\x00\n") == ("one still one", "two")
    assert paragraphs("  \n ") == ()


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a?b=1&c=2#d", "https://example.org/a?b=1&c=2#d"),
        ("http://127.0.0.1:8099/meridian/a", "http://127.0.0.1:8099/meridian/a"),
        ("HTTPS://example.org/", "https://example.org/"),
        ("https://bücher.example.org/ä", "https://bücher.example.org/ä"),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("https://example.org/{{7*7}}", "https://example.org/%7B%7B7*7%7D%7D"),
        ("https://example.org/two words", "https://example.org/two%20words"),
        ("https://example.org/100%25", "https://example.org/100%25"),
        ("javascript:alert(1)", None),
        ("java\tscript:alert(1)", None),
        ("https:\n//example.org", None),
        ("data:text/html,<script>alert(1)</script>", None),
        ("vbscript:msgbox", None),
        ("//example.org/a", None),
        ("/relative", None),
        ("https://", None),
        ("https:///path", None),
        ("https://example.org:99999/", None),
        ("https://[::1", None),
        ("https://bank.example.com@example.net/", None),
        ("https://example.org\\@example.net/", None),
        (f"https://example.org/{Token.EMAIL.mark}", None),
        ("https://example.org/\u202egpj", None),
        (f"https://example.org/{'a' * 2028}", f"https://example.org/{'a' * 2028}"),
        (f"https://example.org/{'a' * 2029}", None),
        ("", None),
    ],
)
def test_only_an_absolute_web_address_becomes_a_link(url: str, link: str | None) -> None:
    assert find_link(url) == link


def test_an_image_must_come_over_https() -> None:
    assert find_image("https://example.org/a.jpg") == "https://example.org/a.jpg"
    assert find_image("http://example.org/a.jpg") is None
    assert find_image("data:image/png;base64,AAAA") is None


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8778", "[::1]", "169.254.169.254", "10.0.0.1.", "2130706433", "127.1", "0x7f.0x1"),
        *("localhost", "a.localhost", "printer", "nas.local", "metadata.google.internal"),
    ],
)
def test_no_picture_is_loaded_from_a_readers_own_network(host: str) -> None:
    assert find_image(f"https://{host}/a.png") is None
    assert find_image("https://xn--bcher-kva.example/a.png") is not None
