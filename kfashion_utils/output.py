"""What is told to people while work goes on: no terminal, pipe or log stops the work by not taking it.

A sign that the encoding of a stream lacks (cp949, euc-kr, ascii) is written in plain letters or as `\\uXXXX`; a reader
that has gone (`| head`), a full disk below a log and a closed stream make the rest silent.
"""

import codecs
import contextlib
import os
import sys

PLAIN = str.maketrans({"…": "...", "–": "-", "—": "-", "−": "-", "×": "x", "·": "-", "→": "->", "’": "'", "\xa0": " "})
IN_PLAIN_LETTERS = "kfashion.in_plain_letters"  # name of the codecs' error handler
STANDARD = (0, 1, 2)  # file descriptors of input, output and errors


def _in_plain_letters(error):
    """Codecs' error handler: what cannot be encoded in plain letters, or as `\\uXXXX`."""
    lost = error.object[error.start : error.end].translate(PLAIN)
    return lost.encode("ascii", "backslashreplace").decode("ascii"), error.end


codecs.register_error(IN_PLAIN_LETTERS, _in_plain_letters)


class SteadyStream:
    """A text stream in front of another one, which may fail without anybody noticing.

    Args:
        stream: a text stream; None = closed, as Python has it where a process was started so.
    """

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        """Write what the stream can take; returns the length of `text`."""
        self._try(lambda: self._stream.write(readable(text, self.encoding)))
        return len(text)

    def flush(self):
        self._try(lambda: self._stream.flush())

    def close(self):
        """Nothing: the stream behind belongs to the process. Libraries that keep this one for their logs close it."""

    @property
    def encoding(self):
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self):
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def _try(self, action):
        if self._stream is None:
            return
        try:
            action()
        except (OSError, ValueError):  # the reader has gone, the disk is full; the stream is closed
            self._stream = None


def readable(text, encoding):
    """`text` with what an encoding lacks in plain letters, or as `\\uXXXX`."""
    return text.encode(encoding, IN_PLAIN_LETTERS).decode(encoding)


def say(text):
    """Print a line that must not stop the work."""
    print(text, file=SteadyStream(sys.stdout))


@contextlib.contextmanager
def steady_output():
    """Standard output and errors as `SteadyStream`s while a command runs; a descriptor that came closed is opened on
    nothing, so that no file of ours gets its number and other libraries' words."""
    _open_standard()
    out, errors = sys.stdout, sys.stderr
    with contextlib.redirect_stdout(SteadyStream(out)), contextlib.redirect_stderr(SteadyStream(errors)):
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            _silence_broken(out, errors)


def _open_standard():
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _silence_broken(*streams):
    """Point the descriptors of streams that cannot be flushed to nothing: Python flushes them once more at its end."""
    for stream in streams:
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
