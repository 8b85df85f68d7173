"""Records made field by field are those their class makes, and of the types it declares."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecmon_parsers.making import maker
from ipsecmon_parsers.records import Flow, IpsecSa
from ipsecmon_parsers.registry import SHOW_IPSEC_SA, parse

LISTING = Path(__file__).parent / "outputs/ios/show_crypto_ipsec_sa/tutorial/output.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    size: int | None
    colour: str = "grey"


@given(st.text(), st.none() | st.integers())
def test_a_made_record_is_the_one_its_class_makes(name: str, size: int | None) -> None:
    made = maker(Part, ("size", "name"))((size, name))

    assert made == Part(name=name, size=size)
    assert hash(made) == hash(Part(name=name, size=size))


@pytest.mark.parametrize("names", [("name",), ("name", "size", "weight")])
def test_fields_that_are_missing_or_unknown_are_refused_before_the_first_record(
    names: tuple[str, ...],
) -> None:
    with pytest.raises(TypeError, match="Part cannot be made of name"):
        maker(Part, names)


def test_a_value_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        maker(Part, ("name", "size"))(("bolt",))


def test_every_field_of_a_flow_and_its_sas_has_the_type_it_declares() -> None:
    """The values are given by position, which no type checker follows."""
    (flow,) = parse("ios", SHOW_IPSEC_SA, LISTING.read_text(encoding="utf-8")).records
    assert isinstance(flow, Flow)
    assert flow.sas

    for record in (flow, *flow.sas):
        assert isinstance(record, Flow | IpsecSa)
        hints = get_type_hints(type(record))
        for one in fields(record):
            value = getattr(record, one.name)
            kinds = [getattr(kind, "__origin__", kind) for kind in _kinds(hints[one.name])]
            # a bool is an int, but not where an int is declared
            assert type(value) in kinds, one.name


def _kinds(hint: object) -> tuple[object, ...]:
    return tuple(getattr(hint, "__args__", ())) if "|" in str(hint) else (hint,)
