"""Write docs/settings.md from the settings themselves: `python -m digest.settings_doc > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from digest.settings import CONFIG_VARIABLE, PREFIX, Settings
from digest.settings_llm import LlmSettings
from digest.settings_mail import MailSettings

_HEAD = f"""\
# Settings

Digest reads its settings from three places, each going before the next:

1. environment variables: the setting's name in capitals after `{PREFIX}`, as in `{PREFIX}MAIL_URL`;
2. the file `digest.toml` in the current folder, or the file that `{CONFIG_VARIABLE}` names;
3. the defaults below.

`digest init` makes a `digest.toml` with a secret key; `digest doctor` tries what the settings name. A name
that is no setting is an error, in the file and in the environment, so that no slip of the pen is passed over.

```toml
secret_key = "…"
database_url = "postgresql+psycopg://digest:PASSWORD@127.0.0.1/digest"
public_url = "https://digest.example.org"
mail_url = "smtp://digest:PASSWORD@smtp.example.org:587"
ops_email = "ops@example.org"
```

A `%`, `@`, `:` or `/` inside a name or password of an address is written as `%25`, `%40`, `%3A`, `%2F`.
In a variable, a list has commas between its parts.

This page is written from the code: `python -m digest.settings_doc > docs/settings.md`.
"""


def document() -> str:
    """Return the page, in Markdown: every setting under its subject, in the order of the classes."""
    return "\n".join([_HEAD, *(part for title, names in _subjects() for part in _subject(title, names))])


def _subjects() -> Iterator[tuple[str, list[str]]]:
    """Yield each subject's title and the names of its settings."""
    mail, llm = list(MailSettings.model_fields), list(LlmSettings.model_fields)
    yield "The installation", [name for name in Settings.model_fields if name not in {*mail, *llm}]
    yield "Mail", mail
    yield "The language model", llm


def _subject(title: str, names: Sequence[str]) -> Iterator[str]:
    yield f"## {title}\n"
    for name in names:
        yield _section(name, Settings.model_fields[name])


def _section(name: str, field: FieldInfo) -> str:
    facts = [f"`{PREFIX}{name.upper()}`", *_kind(field), f"default {_default(field.default)}"]
    return f"### `{name}`\n\n{', '.join(facts)}\n\n{field.description}\n"


def _kind(field: FieldInfo) -> list[str]:
    if get_origin(field.annotation) is Literal:
        return [" or ".join(f"`{value}`" for value in get_args(field.annotation))]
    if get_origin(field.annotation) is tuple:
        return ["a list"]
    least = [f"at least {rule.ge}" for rule in field.metadata if hasattr(rule, "ge")]
    most = [f"at most {rule.le}" for rule in field.metadata if hasattr(rule, "le")]
    return [*least, *most]


def _default(value: Any) -> str:
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(shown, tuple):
        shown = ", ".join(shown)
    return "empty" if shown in ("", None) else f"`{shown}`"


if __name__ == "__main__":
    sys.stdout.write(document())
