"""What a parser process may answer: plain data, read against the type that was asked for.

The process that reads a stranger's document may have been taken over by it, so its answer is never unpickled
and names no class to make: it is JSON whose shape the called function's return type dictates. A value that
does not fit is a `ValueError`. Dataclasses go as the list of their fields, enums as their values, a union as
`[which member, value]`. Errors are those of our tree and no others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from digest.domain.errors import DigestError

_ATOMS = (str, int, float, bool, NoneType)
_Attribute = str | int | float | bool | datetime | tuple[str, ...] | None
_ToldError = tuple[str, tuple[_Attribute, ...], dict[str, _Attribute]]


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions of one type. `from_plain` raises `ValueError` for what is not of that type."""

    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]


def written(answer: object, hint: object) -> bytes:
    """Return `answer`, a value of type `hint`, as bytes."""
    return json.dumps(codec_of(hint).to_plain(answer), separators=(",", ":")).encode("ascii")


def read(answer: bytes, hint: object) -> Any:
    """Return the value of type `hint` in `answer`. Raises `ValueError` when there is none."""
    try:
        return codec_of(hint).from_plain(json.loads(answer))
    except (TypeError, OverflowError, RecursionError) as exc:
        raise ValueError(f"not the {_name(hint)} that was asked for: {exc}") from exc


def return_type(function: Callable[..., object]) -> object:
    """Return what `function` says it returns. Raises `TypeError` when that cannot cross (see `codec_of`)."""
    hint = get_type_hints(function).get("return", NoneType)
    codec_of(hint)
    return hint


def written_error(error: DigestError) -> bytes:
    """Return an error of ours with its attributes. Raises `ValueError` when one of them cannot cross."""
    kind = f"{type(error).__module__}:{type(error).__qualname__}"
    return written((kind, error.args, vars(error)), _ToldError)


def read_error(told: bytes) -> DigestError:
    """Return the error in `told`. Raises `ValueError` when it is not one of our tree."""
    name, arguments, attributes = read(told, _ToldError)
    for kind in _tree(DigestError):
        if f"{kind.__module__}:{kind.__qualname__}" == name:
            error = kind.__new__(kind, *arguments)  # not __init__, whose parameters may be others
            vars(error).update(attributes)
            return error
    raise ValueError("no error of ours")


def _tree(kind: type[DigestError]) -> Iterator[type[DigestError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


@lru_cache(maxsize=256)
def codec_of(hint: Any) -> Codec:
    """Return the codec of a type: atoms, moments, spans of time, enums, frozen dataclasses, and collections.

    Raises `TypeError` for any other: such a value is not for crossing between processes.
    """
    hint = getattr(hint, "__supertype__", hint)  # a NewType is what it is made of
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _ATOMS:
        return _atom(hint)
    if hint is datetime:
        return Codec(datetime.isoformat, datetime.fromisoformat)
    if hint is timedelta:
        return Codec(timedelta.total_seconds, lambda plain: timedelta(seconds=plain))
    if origin in (Union, UnionType):
        return _union(inner)
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return _sequence(tuple, inner[0])
    if origin is tuple:
        return _record(inner, lambda value: value, lambda *parts: parts)
    if origin in (list, frozenset, set):
        return _sequence(origin, inner[0])
    if origin is dict:
        return _mapping(*inner)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Codec(lambda value: value.value, hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    raise TypeError(f"a value of type {_name(hint)} cannot be answered by a parser process")


def _atom(kind: type) -> Codec:
    accepted = (int, float) if kind is float else (kind,)

    def checked(plain: object) -> object:
        if type(plain) not in accepted:
            raise ValueError(f"{type(plain).__name__} instead of {kind.__name__}")
        return plain

    return Codec(lambda value: value, checked)


def _sequence(kind: Callable[[Iterator[Any]], Any], inner: object) -> Codec:
    item = codec_of(inner)
    return Codec(
        lambda values: [item.to_plain(value) for value in values],
        lambda plain: kind(item.from_plain(value) for value in _list(plain)),
    )


def _mapping(key_type: object, value_type: object) -> Codec:
    pair = codec_of(tuple[key_type, value_type])  # type: ignore[valid-type]
    return Codec(
        lambda mapping: [pair.to_plain(item) for item in mapping.items()],
        lambda plain: dict(pair.from_plain(item) for item in _list(plain)),
    )


def _dataclass(kind: type) -> Codec:
    hints, names = get_type_hints(kind), [field.name for field in fields(kind)]
    return _record(
        [hints[name] for name in names], lambda value: [getattr(value, name) for name in names], kind
    )


def _record(hints: Any, parts: Callable[[Any], Any], made: Callable[..., object]) -> Codec:
    codecs = [codec_of(hint) for hint in hints]
    writers, readers = [codec.to_plain for codec in codecs], [codec.from_plain for codec in codecs]
    return Codec(
        lambda value: [write(part) for write, part in zip(writers, parts(value), strict=True)],
        lambda plain: made(*[read(part) for read, part in zip(readers, _list(plain), strict=True)]),
    )


def _union(members: tuple[Any, ...]) -> Codec:
    codecs = [codec_of(member) for member in members]
    kinds = [get_origin(member) or getattr(member, "__supertype__", member) for member in members]

    def to_plain(value: object) -> list[object]:
        exact = (at for at, kind in enumerate(kinds) if type(value) is kind)
        alike = (at for at, kind in enumerate(kinds) if isinstance(value, kind))  # lxml's kind of str
        which = next(exact, None)
        which = next(alike, None) if which is None else which
        if which is None:
            raise ValueError(f"{type(value).__name__} is none of {', '.join(map(_name, members))}")
        return [which, codecs[which].to_plain(value)]

    def from_plain(plain: object) -> object:
        which, value = _list(plain)
        if type(which) is not int or not 0 <= which < len(codecs):
            raise ValueError("no such member of a union")
        return codecs[which].from_plain(value)

    return Codec(to_plain, from_plain)


def _list(plain: object) -> list[Any]:
    if type(plain) is not list:
        raise ValueError(f"{type(plain).__name__} instead of a list")
    return plain


def _name(hint: object) -> str:
    return getattr(hint, "__qualname__", None) or str(hint)
