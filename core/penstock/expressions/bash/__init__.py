"""Reads bash scripts as far as needed to substitute values safely. Knows quoting, runs nothing."""
