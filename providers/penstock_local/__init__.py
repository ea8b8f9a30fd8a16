"""The laptop as a provider: its one target, `local`, defines what a spec means."""

from penstock_local.provider import LocalProvider

__all__ = ["LocalProvider"]
