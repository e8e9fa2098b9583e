"""A process of its own that decodes hostile pictures: `python hostile.py PROGRESS_FILE corpus | fuzz SEED COUNT`."""

import json
import random

import numpy as np
from hostile_files import corpus
from hostile_mutations import mutations


def outcome(call, *arguments):
    """The reason of a rejection, "ok" for pixels or bytes as they should be, or a text that says what went wrong."""
    from kfashion_utils import errors

    try:
        result = call(*arguments)
    except errors.ImageRejected as error:
        return error.reason if error.reason in errors.REASONS and str(error) else f"unknown reason {error.reason!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    if isinstance(result, bytes):
        return "ok" if result.startswith(b"\xff\xd8") else "not JPEG bytes"
    pixels, (width, height) = result
    rgb = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    fits = pixels.shape[0] <= height and pixels.shape[1] <= width
    allowed = 0 < width * height <= errors.MAX_PIXELS
    return "ok" if rgb and fits and allowed else f"pixels of {pixels.dtype} {pixels.shape} for {width} x {height}"


def outcomes(data, seed):
    """What the three ways in make of the same bytes."""
    from kfashion_utils.images import decoding
    from kfashion_utils.images.recipe import Preprocess

    chance = random.Random(seed)
    left, top = chance.uniform(-20, 70), chance.uniform(-20, 50)
    box = {"left": left, "top": top, "right": left + chance.uniform(0, 80), "bottom": top + chance.uniform(0, 60)}
    yield outcome(decoding.decode, data)
    yield outcome(decoding.decode, data, ".", lambda width, height: 4)
    yield outcome(Preprocess(size=64, crop="box").encode, data, box)


def named(what, seed, count):
    """(name, bytes, the outcomes that are right) of the corpus or of mutations."""
    from kfashion_utils.errors import REASONS

    if what == "corpus":
        yield from corpus()
        return
    for number, name, data in mutations(seed, int(count)):
        yield f"seed {seed}, mutation {number} of {name}", data, {"ok", *REASONS}


def is_right(full, others, expected):
    """Whether all three ways in agree and the first gives what is right."""
    agree = {*others} <= {full, "ok", "broken", "region outside"}
    return full in expected and agree and (full == "ok" or "ok" not in others)


def run(progress, what, seed="0", count="0"):
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    tally, problems = {}, []
    with open(progress, "w", encoding="utf-8") as log:
        for name, data, expected in named(what, seed, count):
            log.seek(0)
            log.truncate()
            log.write(name)
            log.flush()
            full, *others = outcomes(data, name)
            tally[full] = tally.get(full, 0) + 1
            if not is_right(full, others, expected):
                problems.append(f"{name}: {full}, {others}; expected {sorted(expected)}")
    print(json.dumps({"tally": tally, "problems": problems}))


if __name__ == "__main__":
    import sys

    run(*sys.argv[1:])
