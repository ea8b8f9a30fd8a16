"""What the expressions of a definition are worth while it runs."""
