"""Testing pipelines offline: `kind: tests` files, what runs them, and what pytest gets of them."""
