from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protego import Protego

from digest.gather.fetching.robots import MAX_ROBOTS_BYTES, MAX_RULES, Robots

SITE = "https://example.org"


def allows(robots: str, path: str) -> bool:
    return Robots.parse(robots.encode()).allows(SITE + path)


def ours(*lines: str) -> str:
    return "\n".join(["User-agent: Digest", *lines])


@pytest.mark.parametrize(
    "body", [b"", b"\0\xff\xfe", b"<!doctype html><p>Not found</p>", b"Disallow: /", b"\n" * 9]
)
def test_a_file_that_says_nothing_to_us_allows_everything(body: bytes) -> None:
    assert Robots.parse(body).allows(f"{SITE}/news/tides")


def test_the_group_that_names_us_counts_and_the_one_for_all_does_not() -> None:
    robots = "User-agent: *\nDisallow: /\n\nUser-agent: digest\nDisallow: /private\n"
    assert allows(robots, "/news")
    assert not allows(robots, "/private/a")


def test_without_a_group_of_ours_the_one_for_all_counts() -> None:
    robots = "User-agent: otherbot\nDisallow: /\n\nUser-agent: *\nDisallow: /private\n"
    assert allows(robots, "/news")
    assert not allows(robots, "/private/a")


@pytest.mark.parametrize("name", ["Digest", "DIGEST", "digest/2.0", "Digest (all versions)", "digest*"])
def test_our_name_is_read_in_any_case_and_with_what_follows_it(name: str) -> None:
    assert not allows(f"User-agent: {name}\nDisallow: /", "/news")


@pytest.mark.parametrize("name", ["Dig", "Digester", "digest-reader", "mydigest", "", "d*"])
def test_another_robot_s_name_is_not_ours(name: str) -> None:
    assert allows(f"User-agent: {name}\nDisallow: /", "/news")


def test_groups_that_name_us_several_times_are_one() -> None:
    robots = "User-agent: a\nUser-agent: Digest\nDisallow: /a\n\nUser-agent: b\nDisallow: /b\n\n" + ours(
        "Disallow: /c"
    )
    assert [allows(robots, path) for path in ("/a", "/b", "/c")] == [False, True, False]


def test_an_empty_group_of_ours_allows_everything() -> None:
    assert allows("User-agent: *\nDisallow: /\nUser-agent: Digest\nDisallow:\n", "/news")


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        # RFC 9309 §2.2.2, §2.2.3 and §5: the longest match, an allow when two are equal, * and a closing $.
        (["Allow: /example/page/", "Disallow: /example/page/disallowed.gif"], "/example/page/", True),
        (
            ["Allow: /example/page/", "Disallow: /example/page/disallowed.gif"],
            "/example/page/disallowed.gif",
            False,
        ),
        (["Disallow: /a", "Allow: /a"], "/a", True),
        (["Allow: /a", "Disallow: /ab"], "/abc", False),
        (["Disallow: /*.pdf$"], "/a/b.pdf", False),
        (["Disallow: /*.pdf$"], "/a/b.pdf?page=2", True),
        (["Disallow: /*.pdf"], "/a/b.pdf?page=2", False),
        (["Disallow: /a*b*c"], "/a1b2c3", False),
        (["Disallow: /a*b*c$"], "/a1b2cc", False),
        (["Disallow: /a*b*c"], "/acb", True),
        (["Disallow: /a*ba$"], "/aba", False),
        (["Disallow: /ab*ba$"], "/aba", True),
        (["Disallow: /fish"], "/Fish", True),
        (["Disallow: /?"], "/?a=1", False),
        (["Disallow: /*?*session="], "/a?x=1&session=2", False),
        (["Disallow: /$"], "/", False),
        (["Disallow: /$"], "/a", True),
        (["Disallow: /foo/bar/ツ"], "/foo/bar/%E3%83%84", False),
        (["Disallow: /foo/bar/%e3%83%84"], "/foo/bar/ツ", False),
        (["Disallow: /%62ar"], "/bar", False),
        (["Disallow: /a%2Fb"], "/a/b", True),
        (["Disallow: /a%3cd"], "/a%3Cd", False),
        (["Disallow: /path/foo-%24"], "/path/foo-$", False),
        (["Disallow: /a%2A"], "/a*", False),
        (["Disallow: /a%2A"], "/ab", True),
        (["Disallow: /a$b"], "/a$b", False),
        (["Disallow: *"], "/a", False),
        (["Disallow: /"], "/robots.txt", True),
        (["Disallow: / # all of it"], "/a", False),
        (["  disallow :/a  "], "/a", False),
        (["Disallow /a"], "/a", True),
        (["Noindex: /a", "Content-Signal: ai-train=no"], "/a", True),
    ],
)
def test_paths_are_matched_as_rfc_9309_says(rules: list[str], path: str, allowed: bool) -> None:
    assert allows(ours(*rules), path) is allowed


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_like_and_a_byte_order_mark_is_no_letter(newline: str) -> None:
    assert not allows("\ufeff" + ours("Disallow: /a").replace("\n", newline), "/a")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2", 2), ("0.5", 0.5), ("86400", 60), ("inf", 60), ("-1", 0), ("nan", 0), ("soon", 0), ("1e999", 60)],
)
def test_a_crawl_delay_is_a_minute_at_most(written: str, seconds: float) -> None:
    robots = Robots.parse(ours(f"Crawl-delay: {written}", "Disallow: /a").encode())
    assert robots.crawl_delay == timedelta(seconds=seconds)


def test_sitemaps_are_named_once_each_wherever_they_stand() -> None:
    robots = "Sitemap: https://example.org/a.xml\nUser-agent: *\nSITEMAP:https://example.org/b.xml # b\n"
    robots += "Disallow: /x\nUser-agent: q\nSitemap: https://example.org/a.xml"
    assert Robots.parse(robots.encode()).sitemaps == (
        "https://example.org/a.xml",
        "https://example.org/b.xml",
    )


def test_what_concerns_us_is_kept_in_few_lines_that_say_the_same() -> None:
    body = "User-agent: x\nDisallow: /\n\n" + ours("Disallow: /a b$", "Allow: /ツ*", "Crawl-delay: 1.5")
    robots = Robots.parse((body + "\nSitemap: https://example.org/s.xml").encode())
    assert Robots.parse(str(robots).encode()) == robots
    assert "User-agent: x" not in str(robots)


def test_the_first_512_kib_are_read_and_no_more() -> None:
    filler = "# nothing\n" * (MAX_ROBOTS_BYTES // 10 - 10)
    assert not allows(filler + ours("Disallow: /a"), "/a")
    assert allows(filler + "#" * 200 + "\n" + ours("Disallow: /a"), "/a")


def test_too_many_rules_to_weigh_disallow_everything() -> None:
    rules = [f"Disallow: /{number}" for number in range(MAX_RULES)]
    assert allows(ours(*rules), "/news")
    assert not allows(ours(*rules, "Disallow: /x"), "/news")


@pytest.mark.parametrize(
    "hostile",
    [
        "".join(f"User-agent: a{n}\n" for n in range(20_000)) + "Disallow: /a\n" * 20_000,
        "User-agent: *\n" * 37_000,
        ours(*(f"Disallow: /*a*{n}*a$" for n in range(MAX_RULES))),
        ours("Disallow: /" + "*a" * 250_000),
        ours("Disallow: /" + "*" * 500_000),
        ours("Disallow: /" + "%41" * 170_000),
        "Sitemap: x\n" * 47_000,
        ":\n" * 260_000,
    ],
    ids=[
        "robots × rules",
        "one robot",
        "wildcards",
        "one long rule",
        "stars",
        "escapes",
        "sitemaps",
        "colons",
    ],
)
def test_a_hostile_file_is_read_and_asked_in_little_time(hostile: str) -> None:
    body = hostile.encode()[:MAX_ROBOTS_BYTES]
    began = time.process_time()
    robots = Robots.parse(body)
    read = time.process_time() - began
    robots.allows(f"{SITE}/{'a' * 2000}")
    assert read < 2
    assert time.process_time() - began - read < 1


# Two stars in a row mean what one does, but count for more with protego: RFC 9309 leaves it open.
PATHS = st.text(alphabet="ab/.*", min_size=1, max_size=8).map(lambda text: "/" + re.sub(r"\*+", "*", text))
RULES = st.lists(
    st.tuples(st.sampled_from(["Allow", "Disallow"]), PATHS, st.sampled_from(["", "$"])), max_size=6
)


@example([("Disallow", "/a", "$")], "a?")
@given(RULES, st.text(alphabet="ab/.?=", max_size=10))
def test_protego_allows_the_same(rules: list[tuple[str, str, str]], path: str) -> None:
    robots = ours(*(f"{name}: {pattern}{end}" for name, pattern, end in rules))
    url = f"{SITE}/{path}"
    assert Robots.parse(robots.encode()).allows(url) == Protego.parse(robots).can_fetch(url, "Digest")


@given(st.binary(max_size=400), st.text(max_size=30))
def test_any_bytes_are_a_robots_file(body: bytes, path: str) -> None:
    robots = Robots.parse(b"User-agent: *\n" + body)
    assert robots.allows(f"{SITE}/{path}") in (True, False)
    assert Robots.parse(str(robots).encode()).rules == robots.rules
