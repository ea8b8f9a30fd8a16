"""Handwritten digits: reading them, and what a report says of them."""
