"""The one exception for bad input, and the one for a picture that is not used, with its reasons.

The command line prints an `InputError` and exits with code 2; it never shows a traceback for it.
"""

import difflib

SHOWN = 12  # problems listed in full; the rest is counted, so that a million bad rows still make one readable message


class InputError(ValueError):
    """What was received, what was expected, how to fix it, and which file or row."""


def listing(problems, shown=SHOWN):
    """One line a problem, at most `shown` of them, and how many more there are."""
    problems = list(problems)
    lines = [f"  - {problem}" for problem in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"  … and {len(problems) - shown:,} more")
    return "\n".join(lines)


def refuse(heading, problems):
    """Raise one `InputError` that lists every problem, if there is any."""
    problems = list(problems)
    if problems:
        raise InputError(f"{heading} ({len(problems):,} problem{'s' * (len(problems) > 1)}):\n{listing(problems)}")


# Pictures -------------------------------------------------------------------------------------------------------------

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")  # of an MPO, as phones write it, the JPEG in front
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
MAX_RUN_LENGTH_PIXELS = 10_000_000  # of a BMP in run lengths, whose decoder is Python and goes pixel by pixel

REASONS = {
    "missing": "there is no such file or archive member",
    "empty": "the file has no bytes",
    "too many bytes": f"more than {MAX_BYTES:,} bytes",
    "too many pixels": f"more than {MAX_PIXELS:,} pixels, or {MAX_RUN_LENGTH_PIXELS:,} of a BMP in run lengths",
    "not a picture": f"none of {', '.join(FORMATS)}",
    "broken": "the picture's data is truncated or damaged, or a bomb",
    "broken archive": "the archive or its member is encrypted, damaged or compressed beyond reason",
    "unreadable": "the file may not be read, is not a regular file, or its name cannot be one",
    "region outside": "the row's box lies outside the picture",
    "size differs": "the label states another size, so where its box and polygon lie is not known",
}


class ImageRejected(ValueError):
    """A picture that is not used. `reason` is a key of `REASONS`, `detail` what was found, `source` where."""

    def __init__(self, reason, detail="", source=""):
        self.reason, self.detail, self.source = reason, detail, source
        super().__init__(reason, detail, source)

    def __str__(self):
        name = f"{self.source}: " if self.source else ""
        return f"{name}{self.reason} ({self.detail or REASONS[self.reason]})"


def did_you_mean(word, known, count=1):
    """`; did you mean 'train'?`: up to `count` known words that are spelled most alike; empty = none is."""
    near = difflib.get_close_matches(str(word), known, count, 0.5)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
