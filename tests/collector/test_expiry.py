"""The moment an SA runs out: constant while nothing happens, exact when something does."""

from __future__ import annotations

from dataclasses import replace

from ipsecmon.model import SaMark
from ipsecmon.tunnels.expiry import expires_at
from ipsecmon.tunnels.volume import predicted_expiry

OLD = SaMark(spi=0x7FAD546D, at=1000.0, remaining_seconds=3000, expires_at=4000.0)


def test_the_first_reading_gives_the_moment_as_read() -> None:
    assert expires_at(None, 0x7FAD546D, 1000.0, 3000) == 4000.0


def test_jitter_of_two_seconds_does_not_move_it() -> None:
    assert expires_at(OLD, 0x7FAD546D, 1060.0, 2942) == 4000.0
    assert expires_at(OLD, 0x7FAD546D, 1060.0, 2938) == 4000.0


def test_more_than_jitter_moves_it() -> None:
    assert expires_at(OLD, 0x7FAD546D, 1060.5, 2942) == 4002.5
    assert expires_at(OLD, 0x7FAD546D, 1060.0, 2937) == 3997.0


def test_an_sa_that_has_run_out_and_stays_installed_does_not_move_with_the_clock() -> None:
    assert expires_at(OLD, 0x7FAD546D, 4130.0, 0) == 4000.0
    assert expires_at(OLD, 0x7FAD546D, 9000.0, 0) == 4000.0


def test_an_sa_that_has_run_out_early_did_so_when_it_was_read() -> None:
    assert expires_at(OLD, 0x7FAD546D, 3500.0, 0) == 3500.0


def test_nor_does_what_is_predicted_of_it() -> None:
    run_out = replace(OLD, at=9000.0, remaining_seconds=0)

    assert predicted_expiry(run_out, None, None, None) == 4000.0


def test_an_sa_that_has_time_left_again_moves_it() -> None:
    assert expires_at(OLD, 0x7FAD546D, 4130.0, 60) == 4190.0


def test_a_new_spi_has_a_moment_of_its_own() -> None:
    assert expires_at(OLD, 0x22222222, 1060.0, 2941) == 4001.0


def test_an_sa_without_time_has_no_moment() -> None:
    assert expires_at(OLD, 0x7FAD546D, 1060.0, None) is None
