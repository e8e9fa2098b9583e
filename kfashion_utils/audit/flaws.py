"""What may be wrong with a single picture: a table of flaws, and which pictures have them."""

from typing import NamedTuple

import numpy as np


class Flaw(NamedTuple):
    """A measure of a record (see `pictures.measures`) that is `below` or `above` a threshold, and what that means."""

    measure: str
    way: str
    threshold: float
    meaning: str

    def __str__(self):
        return f"{self.measure} {self.way} {self.threshold:g} {self.meaning}"

    def found(self, values):
        """Which of the measured values have the flaw, bool."""
        return values < self.threshold if self.way == "below" else values > self.threshold


FLAWS = {
    "tiny": Flaw("shorter side", "below", 64, "px: too small to show what is worn"),
    "odd aspect": Flaw("aspect", "above", 3.0, "times as long as wide"),
    "blank": Flaw("contrast", "below", 4.0, "levels of standard deviation: nothing can be seen"),
    "blurred": Flaw("sharpness", "below", 0.004, "share of the contrast in details of 1-2 px at 224 px"),
    "drawing": Flaw(
        "soft", "below", 0.3, "share of soft steps among all steps in brightness: flat areas with hard edges"
    ),
    "collage": Flaw("seam", "above", 0.97, "share of a straight line through the picture along which it breaks"),
}


def is_blank(records):
    """Which pictures show nothing, bool `(pictures,)`."""
    return FLAWS["blank"].found(records["contrast"])


def flaws(records):
    """(number of the picture, name of the flaw, its measured value) of all; of a blank picture nothing else that is
    measured in its pixels."""
    shorter, longer = np.minimum(records["width"], records["height"]), np.maximum(records["width"], records["height"])
    of_the_size = {"shorter side": shorter, "aspect": longer / np.maximum(shorter, 1)}
    blank = is_blank(records)
    for name, flaw in FLAWS.items():
        values = of_the_size[flaw.measure] if flaw.measure in of_the_size else records[flaw.measure]
        found = flaw.found(values)
        if flaw.measure not in of_the_size and name != "blank":
            found &= ~blank
        for number in np.flatnonzero(found):
            yield int(number), name, float(values[number])
