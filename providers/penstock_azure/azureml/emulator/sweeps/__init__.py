"""Sweep nodes: what is drawn, which trial is best, and which is stopped before its end."""
