"""Every link of mails opened by GET and HEAD, three times each: `benchmarks.scanners` with fewer mails."""

from benchmarks.scanners import links_in, measure


def test_no_link_of_a_mail_changes_anything_when_it_is_opened() -> None:
    figures = measure(8)
    assert figures.mails == 8
    assert figures.links > 8 * 6
    assert figures.requests == figures.links * 6
    assert (figures.changed, figures.unanswered) == ((), 0)
    assert figures.is_seen, "the control: a POST is seen"


def test_links_of_all_parts_and_headers_are_found() -> None:
    site = "http://digest.example.org"
    mail = (
        f"List-Unsubscribe: <{site}/unsubscribe/a>\r\nContent-Type: text/html\r\n\r\n"
        f'<a href="{site}/preferences/b#pause">x</a> <a href="{site}/c/d/1?x=1&amp;y=2">x</a> https://example.org/'
    )
    assert links_in(mail.encode()) == {
        f"{site}/unsubscribe/a",
        f"{site}/preferences/b",
        f"{site}/c/d/1?x=1&y=2",
    }
