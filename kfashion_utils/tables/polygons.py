"""Whether the text of a catalog's `polygon` is one: JSON rings of points, `[[[x, y], …], …]`. Where it is written as
nearly all are, that is told without parsing."""

import functools
import json
import re

import numpy as np

POLYGON_FORM = "polygon is not JSON rings [[[x, y], …], …] of three points at least"
DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
# dots without digits, and digits that are part of no number
MISPLACED = (b"[.", b" .", b".,", b".]", b"]0", b",0", b"0 ", b"0[")
LONG_NUMBER = re.compile(r"[0-9]{300}")


def is_bad_polygon(text):
    """Whether the text of a catalog's cell is neither empty nor a polygon."""
    return text != "" and not is_plain_polygon(text) and not parses_as_polygon(text)


def parses_as_polygon(text):
    """Whether `text` is JSON of one ring at least, each of three finite points or more."""
    try:
        rings = [np.array(ring) for ring in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        return False
    return bool(rings) and all(map(_is_ring, rings))


def _is_ring(points):
    """Whether an array holds the numbers `(three or more, 2)` of a ring."""
    if points.dtype.kind not in "if" or points.ndim != 2:
        return False
    return points.shape[1] == 2 and len(points) >= 3 and bool(np.isfinite(points).all())


def is_plain_polygon(text):
    """Whether `text` is rings as `write_catalog` finds them in nearly every row, `[[[1.5, 20.0], …], …]`, told without
    parsing.

    What is left without the digits must be the brackets of such rings, every dot must have digits on both sides, digits
    stand nowhere else, no number has a leading zero, none so many digits that it is infinite. False = not plain: parse
    it.
    """
    if not text.isascii():
        return False
    raw = text.encode("ascii")
    frame = raw.translate(None, b"0123456789").decode("ascii")
    if len(text) - len(frame) > 300 and LONG_NUMBER.search(text):
        return False
    if not (frame.startswith("[[[") and frame.endswith("]]]")):
        return False
    if any(ring != _ring_frame(len(ring)) for ring in frame[3:-3].split("]], [[")):
        return False
    shape = raw.translate(DIGITS_AS_0)
    if any(pair in shape for pair in MISPLACED):
        return False
    return all(text.count(start) == text.count(f"{start}.") for start in ("[0", " 0"))  # no leading zero


@functools.lru_cache(maxsize=4096)
def _ring_frame(length):
    """The inside of a ring of three points or more whose frame, `., .], [., .`, has that many characters; None if there
    is none."""
    points, rest = divmod(length + 4, 8)
    return None if rest or points < 3 else "], [".join(["., ."] * points)
