"""The end of a message about an unknown name: which one was meant, and which there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name in ``known`` that ``word`` is most like, None if it is like none; ``cutoff`` 1 asks for equality."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)), None)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'resnet18'? Known: lenet, resnet18``, or without the question if nothing is like ``word``."""
    known = list(known)
    guess = closest(word, known)
    return f"{f'; did you mean {guess!r}?' if guess else '.'} Known: {', '.join(known)}"
