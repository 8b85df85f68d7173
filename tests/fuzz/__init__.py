"""Texts nobody should send and every command must survive: damaged outputs, random bytes, worst cases for time."""
