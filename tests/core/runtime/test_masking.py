from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.masking import Masker

LETTERS = st.text("abc", max_size=60)
SECRETS = st.lists(st.text("abc", min_size=4, max_size=7), min_size=1, max_size=3)


def in_chunks(masker: Masker, data: bytes, cuts: list[int]) -> bytes:
    stream = masker.stream()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    shown = b"".join(stream.feed(data[a:b]) for a, b in pairwise(edges))
    return shown + stream.close()


def test_every_occurrence_of_a_value_is_replaced() -> None:
    masker = Masker(["s3cr3t", "hunter22"])

    assert masker.mask("a s3cr3t, hunter22 and s3cr3ts") == "a ***, *** and ***s"


def test_values_under_four_characters_stay() -> None:
    masker = Masker(["dev", "", "1"])

    assert masker.mask("dev 1") == "dev 1"
    assert not masker


def test_the_longer_of_two_values_with_one_beginning_is_hidden_whole() -> None:
    masker = Masker(["token", "token-long"])

    assert masker.mask("token-long token") == "*** ***"


def test_a_value_is_found_as_json_and_urls_write_it() -> None:
    masker = Masker(['p@ss"word'])

    assert masker.mask(r'{"x": "p@ss\"word"} db://u:p%40ss%22word@h') == '{"x": "***"} db://u:***@h'


def test_the_lines_of_a_value_are_hidden_one_by_one_too() -> None:
    masker = Masker(["-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----\n"])

    assert masker.mask("key: MIIEvQIBADAN!") == "key: ***!"


def test_text_that_is_not_ascii_survives() -> None:
    masker = Masker(["pässwörd"])

    assert masker.mask("ünder pässwörd \udce4") == "ünder *** \udce4"


def test_a_finished_line_is_not_held_back() -> None:
    stream = Masker(["s3cr3t"]).stream()

    assert stream.feed(b"epoch 1\n") == b"epoch 1\n"


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_value_that_two_chunks_share_is_hidden(cut: int) -> None:
    stream = Masker(["s3cr3t"]).stream()

    shown = stream.feed(b"x" + b"s3cr3t"[:cut])
    shown += stream.feed(b"s3cr3t"[cut:] + b"y")

    assert shown + stream.close() == b"x***y"


def test_what_only_began_like_a_value_is_shown_at_the_end() -> None:
    stream = Masker(["s3cr3t"]).stream()

    assert stream.feed(b"s3cr") == b""
    assert stream.close() == b"s3cr"


def test_a_value_that_repeats_itself_without_end_is_not_gathered_in_memory() -> None:
    stream = Masker(["aaaa"]).stream()

    shown = b"".join(stream.feed(b"a" * 1000) for _ in range(50)) + stream.close()

    assert shown == b"***"


@given(data=LETTERS, secrets=SECRETS, cuts=st.lists(st.integers(0, 100), max_size=6))
def test_where_chunks_end_changes_nothing(data: str, secrets: list[str], cuts: list[int]) -> None:
    masker = Masker(secrets)

    assert in_chunks(masker, data.encode(), cuts).decode() == masker.mask(data)


@given(data=LETTERS, secrets=SECRETS)
def test_exactly_the_letters_of_occurrences_are_hidden(data: str, secrets: list[str]) -> None:
    hidden = {
        start + offset
        for secret in secrets
        for start in range(len(data))
        if data.startswith(secret, start)
        for offset in range(len(secret))
    }

    shown = Masker(secrets).mask(data)

    assert shown.replace("***", "") == "".join(letter for at, letter in enumerate(data) if at not in hidden)
