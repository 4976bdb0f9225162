"""Articles in many languages, written for these tests (`articles/<language>.txt`), every sentence judged.

`=== kind` begins an article, `# ` its title, `## ` a heading, `- ` a list item; an empty line ends a
paragraph. Every other line is one sentence. `~ ` marks a line that speaks of the page (byline, caption,
call), `^ ` a sentence that a reader cannot take alone: its opening points elsewhere or leaves its subject
out, or it asks, begins with a quotation or speaks as "I"; `* ` one that only its sense ties to another.
Either may follow `- `.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digest.domain.articles import Article, Block, BlockKind

FOLDER = Path(__file__).parent / "articles"
UNSPACED = frozenset({"ja", "zh"})


@dataclass(frozen=True, slots=True)
class Judged:
    """An article, the sentences of its paragraphs, and what was marked: see above."""

    kind: str
    article: Article
    paragraphs: tuple[tuple[str, ...], ...]
    leaning: frozenset[str]
    hanging: frozenset[str]
    furniture: frozenset[str]

    def __str__(self) -> str:
        return f"{self.article.language}-{self.kind}"


def judged_articles() -> list[Judged]:
    return [judged for path in sorted(FOLDER.glob("*.txt")) for judged in _read(path)]


def _read(path: Path) -> Iterator[Judged]:
    for part in path.read_text("utf-8").split("=== ")[1:]:
        kind, _, rest = part.partition("\n")
        yield _judged(kind, rest.splitlines(), path.stem)


def _judged(kind: str, lines: list[str], language: str) -> Judged:
    title, blocks, paragraphs, open_paragraph = "", [], [], list[str]()

    def close() -> None:
        if open_paragraph:
            gap = "" if language in UNSPACED else " "
            blocks.append(Block(BlockKind.PARAGRAPH, gap.join(open_paragraph)))
            paragraphs.append(tuple(open_paragraph))
            open_paragraph.clear()

    for line in lines:
        mark, _, text = line.partition(" ")
        if mark == "#":
            title = text
        elif mark in _KINDS:
            close()
            blocks.append(Block(_KINDS[mark], _bare(text)))
        elif line:
            open_paragraph.append(_bare(line))
        else:
            close()
    close()
    return Judged(
        kind,
        Article(f"https://example.org/{language}/{kind}", title, tuple(blocks), language),
        tuple(paragraphs),
        *(_marked(lines, mark) for mark in "^*~"),
    )


def _marked(lines: list[str], mark: str) -> frozenset[str]:
    return frozenset(
        _bare(line.removeprefix("- ")) for line in lines if line.removeprefix("- ").startswith(f"{mark} ")
    )


def _bare(line: str) -> str:
    return line[2:] if line[:2] in {"^ ", "* ", "~ "} else line


_KINDS = {"##": BlockKind.HEADING, "-": BlockKind.LIST_ITEM, "~": BlockKind.PARAGRAPH}
