"""Runs a local document: the reference meaning of the language."""

from penstock_local.local.emulator.runner import LocalEmulator

__all__ = ["LocalEmulator"]
