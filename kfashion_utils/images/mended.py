"""What is mended while pictures are opened, for whoever counts it."""

import contextlib
import contextvars

SCALED = "region scaled: the label states the size of a larger or smaller picture"
TURNED = "region turned: the label was drawn on the pixels that EXIF turns"
NO_END_MARK = "JPEG without its end mark: every row of blocks is there"

_noted = contextvars.ContextVar("mended", default=None)


def mended(what):
    """Note that something was mended, once for each picture."""
    noted = _noted.get()
    if noted is not None and what not in noted:
        noted.append(what)


@contextlib.contextmanager
def mending():
    """The list of what is mended while the block runs, each once."""
    noted = []
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)
