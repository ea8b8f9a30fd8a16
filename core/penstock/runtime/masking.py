"""Keeping secret values out of what a process prints, before it is shown or written to a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MASK = "***"
SHORTEST = 4
"""Shorter values stay: masking every `1` or `dev` would make a log unreadable and hide nothing."""
_SHORTEST_LINE = 8
_MASK = MASK.encode()


class Masker:
    """Replaces every occurrence of some values by `***`.

    A value is also found as it looks inside JSON and inside a URL, and each longer line of a value of
    several lines by itself. Values of under four characters are left alone.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values for form in _forms(value)}
        self._secrets: tuple[bytes, ...] = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return bool(self._secrets)

    def mask(self, text: str) -> str:
        """Give a whole text without the secrets."""
        if not self._secrets:
            return text
        stream = self.stream()
        whole = stream.feed(text.encode("utf-8", "surrogateescape")) + stream.close()
        return whole.decode("utf-8", "surrogateescape")

    def stream(self) -> MaskedStream:
        """Start masking one stream of bytes that arrives in chunks."""
        return MaskedStream(self._secrets)


class MaskedStream:
    """One stream being masked. The result does not depend on where the chunks end.

    Only a tail that may be the beginning of a secret is held back, so that finished lines appear at once.
    """

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        self._secrets = secrets
        self._longest = max(map(len, secrets), default=0)
        self._held = b""
        # How many leading bytes of `_held` a mask that was given out already covers: where secrets overlap,
        # the tail of one may be the beginning of the next.
        self._covered = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take the next chunk and give what is now known to be fit to be seen."""
        if not self._secrets:
            return chunk
        held = self._held + chunk
        return self._give(held, self._first_doubt(held))

    def close(self) -> bytes:
        """Give what was held back; the stream has ended."""
        return self._give(self._held, len(self._held))

    def _give(self, held: bytes, upto: int) -> bytes:
        shown = bytearray()
        position, covered = 0, max(0, self._covered - upto)
        for start, end in self._masked(held):
            if start >= upto:
                break
            shown += held[position:start]
            if start > 0 or not self._covered:
                shown += _MASK
            position, covered = min(end, upto), max(0, end - upto)
        shown += held[position:upto]
        self._held, self._covered = held[upto:], covered
        return bytes(shown)

    def _masked(self, held: bytes) -> Iterator[tuple[int, int]]:
        """Give the stretches to hide, in order; overlapping secrets make one stretch."""
        spans = [(0, self._covered)] if self._covered else []
        for secret in self._secrets:
            start = held.find(secret)
            while start >= 0:
                spans.append((start, start + len(secret)))
                start = held.find(secret, start + 1)
        spans.sort()
        merged_start = merged_end = -1
        for start, end in spans:
            if start < merged_end:
                merged_end = max(merged_end, end)
                continue
            if merged_end > 0:
                yield merged_start, merged_end
            merged_start, merged_end = start, end
        if merged_end > 0:
            yield merged_start, merged_end

    def _first_doubt(self, held: bytes) -> int:
        """Give where the first stretch begins that the next chunk may complete to a secret."""
        for start in range(max(0, len(held) - self._longest + 1), len(held)):
            tail = held[start:]
            if any(len(secret) > len(tail) and secret.startswith(tail) for secret in self._secrets):
                return start
        return len(held)


def _forms(value: str) -> Iterator[bytes]:
    if len(value) < SHORTEST:
        return
    from json import dumps
    from urllib.parse import quote

    lines = (line.strip() for line in value.splitlines())
    forms = [value, dumps(value)[1:-1], quote(value, safe="", errors="surrogateescape")]
    forms += [line for line in lines if len(line) >= _SHORTEST_LINE]
    for form in forms:
        yield form.encode("utf-8", "surrogateescape")
