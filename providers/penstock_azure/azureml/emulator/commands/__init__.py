"""Command nodes: folders, substitution, variables, processes."""
