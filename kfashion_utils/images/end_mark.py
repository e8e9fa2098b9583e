"""A JPEG without its end mark: whole where every row of blocks is there.

libjpeg fills what is missing with zeros and does not say so. What it makes of the bytes is the same whatever follows
them if, and only if, the last block ends before: so the bytes are decoded twice with different bits behind them. Of a
JPEG in several scans, all must be there: each coefficient of each component to its last bit. Source: ITU-T T.81, B.2.3
scan header, F.1.2 bit order, G.1.1 progressive scans.
"""

import io

from PIL.JpegImagePlugin import JpegImageFile

END_MARK = b"\xff\xd9"
COEFFICIENTS = 64
ZEROS = bytes(16)  # a tail of them: what the sender had not written yet
BEHIND = bytes(range(1, 251)) * 2, bytes(range(250, 0, -1)) * 2  # neither a mark nor alike in any bit for long


def add_end_mark(data, at):
    """The JPEG with its end mark, or None where more is missing.

    Args:
        data: bytes of a JPEG without an end mark.
        at: where its first scan's data starts.
    """
    whole = data.rstrip(b"\xff")
    if len(whole) <= at or whole.endswith(ZEROS) or not _has_all_scans(whole):
        return None
    pixels = [_pixels(b"".join([whole, behind, END_MARK])) for behind in BEHIND]
    return whole + END_MARK if pixels[0] is not None and pixels[0] == pixels[1] else None


def _pixels(data):
    """The decoded bytes; None where Pillow does not take them."""
    try:
        with JpegImageFile(io.BytesIO(data)) as picture:
            picture.decodermaxblock = len(data)
            return picture.tobytes()
    except (OSError, SyntaxError, ValueError):  # a damaged picture, not one that lacks its end
        return None


def _has_all_scans(data):
    """Whether the scans hold every coefficient of every component, to its last bit."""
    components, known, at = [], set(), 2
    while (found := _next_segment(data, at)) is not None:
        start, code, at = found
        body = data[start + 4 : at]
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC) and len(body) >= 6:
            components = list(body[6::3])[: body[5]]
        elif code == 0xDA and body:
            count = body[0]
            first, last, lowest = body[1 + 2 * count], body[2 + 2 * count], body[3 + 2 * count] & 15
            if not lowest:
                known |= {(name, k) for name in body[1 : 1 + 2 * count : 2] for k in range(first, last + 1)}
    return bool(components) and all((name, k) in known for name in components for k in range(COEFFICIENTS))


def _next_segment(data, at):
    """(start, code, end) of the next segment with a body; None = there is no further one."""
    while (start := data.find(b"\xff", at)) >= 0 and start + 4 <= len(data):
        code = data[start + 1]
        if code in (0, 0xFF, 1) or 0xD0 <= code <= 0xD9:
            at = start + (1 if code == 0xFF else 2)
            continue
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        return None if end > len(data) else (start, code, end)
    return None
