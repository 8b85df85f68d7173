"""A text that must not be seen: shown, printed, dumped and formatted as ``***``."""

from __future__ import annotations

import hmac
from typing import NoReturn, Self

__all__ = ["HIDDEN", "Secret"]

HIDDEN = "***"


class Secret:
    """Holds one secret; only ``reveal()`` gives it out, so that every use can be found by that word."""

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_value", value)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode(errors="surrogatepass"),
            other._value.encode(errors="surrogatepass"),
        )

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a secret cannot be changed")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        # a pickle is a file, a queue or a task argument: places where a secret has no business
        raise TypeError("a secret cannot be pickled; pass the name of its credential instead")
