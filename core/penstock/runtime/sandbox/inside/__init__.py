"""What runs around and inside a sandbox, in interpreters of its own that load nothing else of Penstock.

Started as `python -I -S`, with the standard library alone: a start must cost little, and nothing of the
user's installation may be needed. The packages above this one are empty there, so nothing here may import
from them; and nothing in Penstock imports this.
"""
