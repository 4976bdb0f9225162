"""README and docs say what is there: links, commands, targets, modules, tables and log events."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from typer.main import get_command

from digest.cli.main import app
from digest.cli.remote.place import meant_by
from digest.store.tables import metadata

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r'\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"')
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose_of(page: Path) -> str:
    return FENCE.sub("", text_of(page))


def anchors_of(page: Path) -> set[str]:
    """The names that GitHub gives the headings of a page."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(prose_of(page)))
    return {heading.replace(" ", "-") for heading in headings}


def relative_links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for in_markdown, in_html in LINK.findall(prose_of(page)):
            link = in_markdown or in_html
            if not re.match(r"[a-z]+:", link):
                yield page, unquote(link)


def shown_lines() -> Iterator[tuple[Path, str]]:
    """Every line of the pages' shell blocks, continued lines joined."""
    for page in PAGES:
        for language, block in FENCE.findall(text_of(page)):
            if language == "sh":
                yield from ((page, line) for line in block.replace("\\\n", " ").splitlines())


def whole_commands() -> Iterator[tuple[str, list[str]]]:
    """Every `digest …` that a shell block shows, also one that runs in a container."""
    for page, line in shown_lines():
        command = re.match(r"(?:docker compose .* web )?digest (.+)", line)
        if command:
            yield name_of(page), shlex.split(command[1])


def mentioned_commands() -> Iterator[tuple[str, list[str]]]:
    """Every `digest …` that prose, a table or an inline mention names; often only its beginning."""
    for page in PAGES:
        for mention in dict.fromkeys(INLINE.findall(prose_of(page))):
            if mention.startswith("digest ") and "…" not in mention:
                yield name_of(page), shlex.split(mention)[1:]


def found_command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command or group that `words` begin with, and the words that are left for it."""
    command = get_command(app)
    with meant_by(words) as rest:
        return _found(command, rest)


def _found(command: Any, words: list[str]) -> tuple[Any, list[str]]:
    while words and hasattr(command, "resolve_command"):
        _, command, words = command.resolve_command(command.context_class(command), words)
    return command, words


def test_there_are_pages_commands_and_links_to_look_at() -> None:
    assert len(PAGES) > 15
    assert len(list(whole_commands())) > 10
    assert len(list(mentioned_commands())) > 20
    assert len(list(relative_links())) > 25


def test_every_relative_link_leads_to_a_file_and_its_heading() -> None:
    lost = []
    for page, link in relative_links():
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            lost.append(f"{name_of(page)}: {link}")
    assert lost == []


@pytest.mark.parametrize(("page", "words"), list(whole_commands()), ids=str)
def test_every_command_of_a_shell_block_can_be_typed(page: str, words: list[str]) -> None:
    command, rest = found_command(words)
    command.make_context(command.name, rest)


@pytest.mark.parametrize("words", [["run", "tides", "--dry"], ["issue", "bless", "1"], ["send", "1", "2"]])
def test_a_word_or_an_option_too_many_would_be_noticed(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"[Nn]o such|unexpected"):
        test_every_command_of_a_shell_block_can_be_typed("", words)


@pytest.mark.parametrize(("page", "words"), list(mentioned_commands()), ids=str)
def test_every_command_that_is_mentioned_exists_with_its_options(page: str, words: list[str]) -> None:
    command, rest = found_command([word for word in words if word != "--help"])
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for code in [*INLINE.findall(prose_of(page)), *(block for _, block in FENCE.findall(text_of(page)))]
        for target in re.findall(r"^make ([a-z]+)", code, re.MULTILINE)
    }
    assert {"demo", "test"} <= named <= targets


def test_every_file_that_is_named_exists() -> None:
    named = {
        mention
        for page in PAGES
        for mention in INLINE.findall(prose_of(page))
        if re.fullmatch(r"(?:digest|worker|tests|docs|benchmarks|templates|tools)/[\w./-]*", mention)
    }
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_architecture_names_every_table_and_no_other() -> None:
    section = text_of(ROOT / "docs/architecture.md").partition("## Tables")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(metadata.tables)


def test_the_architecture_draws_the_layers_that_are_held() -> None:
    contract = text_of(ROOT / "pyproject.toml").partition("layers = [")[2].partition("]")[0]
    drawn = text_of(ROOT / "docs/architecture.md").partition("## Layers")[2].partition("\n## ")[0]
    for layer in re.findall(r'"([^"]+)"', contract):
        names = [name.strip().removeprefix("digest.") for name in layer.split("|")]
        assert any(all(re.search(rf"\b{name}\b", line) for name in names) for line in drawn.splitlines()), (
            layer
        )


def test_operations_tell_of_every_log_event_and_no_other() -> None:
    section = text_of(ROOT / "docs/operations.md").partition("## Logs")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|([^|]+)\|", section, re.MULTILINE)
    told = {event for row in rows for event in INLINE.findall(row)}
    code = "".join(text_of(file) for folder in ("digest", "worker") for file in (ROOT / folder).rglob("*.py"))
    logged = re.findall(
        r'\b(?:log|get_logger\(__name__\))\.(?:debug|info|warning|error|critical|exception)\(\s*"([\w.]+)"',
        code,
    )
    assert told == set(logged)
