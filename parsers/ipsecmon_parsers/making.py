"""Makes many records of one kind, about twice as fast as by calling their class.

The constructor of a frozen dataclass looks up ``object.__setattr__`` for every field of every record. A hub prints
thousands of records with up to eighty fields each; here each field's place in the record is looked up once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

__all__ = ["maker"]

_Record = TypeVar("_Record")


def _fields(record: Any) -> tuple[Field[Any], ...]:
    return fields(record)


def maker(record: type[_Record], names: Sequence[str]) -> Callable[[Iterable[object]], _Record]:
    """A function from the values of these fields, in this order, to a record; other fields take their defaults.

    ``record`` is a dataclass with slots and without ``__post_init__``.
    """
    known = {one.name: one for one in _fields(record)}
    unknown = set(names) - known.keys()
    unset = [name for name, one in known.items() if name not in names and one.default is MISSING]
    if unknown or unset or hasattr(record, "__post_init__"):
        raise TypeError(f"{record.__name__} cannot be made of {', '.join(names)}")
    setters: list[Callable[[object, object], None]] = [
        record.__dict__[name].__set__ for name in names
    ]
    defaults: list[tuple[Callable[[object, object], None], object]] = [
        (record.__dict__[name].__set__, one.default)
        for name, one in known.items()
        if name not in names
    ]

    def make(values: Iterable[object]) -> _Record:
        made = object.__new__(record)
        for set_field, value in zip(setters, values, strict=True):
            set_field(made, value)
        for set_field, value in defaults:
            set_field(made, value)
        return made

    return make
