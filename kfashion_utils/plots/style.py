"""How every figure looks: fonts that can write Korean, colours, sizes, bytes, and what all of them write."""

import contextlib
import functools
import io
import os
import re
import subprocess
import textwrap
import unicodedata

import numpy as np
from PIL import Image

from kfashion_utils.output import say
from kfashion_utils.tables.labels import SEPARATOR
from kfashion_utils.tables.tasks import gloss

DPI = 100  # a width of 8 inches is 800 px
WIDTH = 7.8
FONT_SIZE = 9
LETTER = 6.2  # width of a letter at this size, pixels
COLOURS = {"train": "#9a9a9a", "valid": "#0072b2", "test": "#e69f00", "(no split)": "#dcdcdc"}
MOST_NAMED = 60  # classes up to which its axes name them
KOREAN_FONTS = (  # the first that is there is used
    "NanumGothic",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumBarunGothic",
    "NanumSquare",
    "Malgun Gothic",
    "AppleGothic",
    "Apple SD Gothic Neo",
    "Pretendard",
    "Source Han Sans KR",
    "Noto Sans CJK JP",
    "UnDotum",
    "Baekmuk Dotum",
)
SIZED = (  # what has FONT_SIZE
    "font.size",
    "axes.titlesize",
    "axes.labelsize",
    "xtick.labelsize",
    "ytick.labelsize",
    "legend.fontsize",
    "figure.titlesize",
)
SEEN = 2.0  # mean difference of two figures that one sees, levels of 255
INSTALL_FONT = ("apt-get", "install", "-y", "-qq", "fonts-nanum")
IN_COLAB = "COLAB_RELEASE_TAG" in os.environ
NO_FONT_NOTE = "labelled by number: the name is not in Latin letters (plots.use_korean_font() adds a Korean font)"

_korean_font = None  # set by `use_korean_font` alone


# Fonts and text -------------------------------------------------------------------------------------------------------


def use_korean_font(install=None):
    """Find a Korean font, or install one, and label classes in Korean, with the gloss, from now on.

    It is also put behind pyplot's own font, so that a reader's own figures can hold Hangul.

    Args:
        install: get the package `fonts-nanum` where no Korean font is found; needs apt, a network and the rights;
            None = in Colab only.

    Returns:
        The font's name; None if there is none and none came, with a printed line that says how to install one.
    """
    global _korean_font
    import matplotlib

    _korean_font = _find_korean_font()
    if _korean_font is None and (IN_COLAB if install is None else install):
        _install_korean_font()
        _korean_font = _find_korean_font()
    if _korean_font is None:
        say(f"no Korean font found, labels stay English; to install one: {' '.join(INSTALL_FONT)}")
        return None
    family = [name for name in matplotlib.rcParams["font.family"] if name != _korean_font]
    matplotlib.rcParams["font.family"] = [*family, _korean_font]
    return _korean_font


@contextlib.contextmanager
def font_for(names):
    """Figures of the block can write these class names: in Korean, where they are not in Latin letters and a Korean
    font is there; where none is and their glosses cannot be written either, that is said once."""
    global _korean_font
    before = _korean_font
    if before is None and not all(map(_drawable, names)):
        _korean_font = _find_korean_font()
        if _korean_font is None and not all(_drawable(gloss(name)) for name in names):
            say(f"no Korean font found, so figures call classes by number; to install one: {' '.join(INSTALL_FONT)}")
    try:
        yield
    finally:
        _korean_font = before


def _find_korean_font():
    """The first of KOREAN_FONTS that is there, one that came after matplotlib made its list included; None = none."""
    from matplotlib import font_manager

    if _first_known_font() is None:
        file_names = [name.replace(" ", "").lower() for name in KOREAN_FONTS]
        for path in font_manager.findSystemFonts():
            if any(name in path.replace("-", "").lower() for name in file_names):
                font_manager.fontManager.addfont(path)
    return _first_known_font()


def _first_known_font():
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in KOREAN_FONTS if name in known), None)


def _install_korean_font():
    """Ask apt for one; what it says is shown only where it fails."""
    try:
        done = subprocess.run(INSTALL_FONT, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"a Korean font could not be installed: {error}")
        return
    if done.returncode:
        say(f"a Korean font could not be installed: {done.stderr.strip().splitlines()[-1:] or done.returncode}")


def _families():
    return ["DejaVu Sans", *([_korean_font] if _korean_font else [])]


def _drawable(text):
    """Whether a font has every letter of `text`, so that none is drawn as an empty box."""
    from matplotlib import font_manager

    fonts = [font_manager.get_font(font_manager.findfont(family)) for family in _families()]
    return all(letter.isspace() or any(font.get_char_index(ord(letter)) for font in fonts) for letter in text)


def class_label(name, number, short=False):
    """A class in a figure: `레트로 retro` with a Korean font, else `retro`; `class 7` where nothing can be drawn."""
    english = gloss(name)
    if english != name and _drawable(name):
        return name if short else f"{name} {english}"
    if _drawable(english):
        return english
    return "other class" if number is None else f"class {number}"


def drawable_text(text):
    """Free text with each word that no font can draw replaced by its gloss, or by `?`."""
    words = re.split(rf"([\s{re.escape(SEPARATOR)}/,:()]+)", text)
    shown = [word if _drawable(word) else gloss(word) for word in words]
    return "".join(word if _drawable(word) else "?" for word in shown)


def text_columns(text):
    """How wide a text is, in Latin letters; Hangul is twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def note_numbers(figure, names):
    """Say beneath a figure why some of its classes are numbers."""
    if any(re.fullmatch(r"class \d+", name) for name in names) and not _korean_font:
        note = textwrap.fill(NO_FONT_NOTE, int(figure.get_figwidth() * DPI / LETTER))
        figure.supxlabel(note, x=0.01, ha="left", color="#777777", fontsize=FONT_SIZE)


# Figures --------------------------------------------------------------------------------------------------------------


def figure_style():
    """matplotlib's defaults with our font, for `with figure_style():`; other figures stay as they are."""
    import matplotlib

    sizes = dict.fromkeys(SIZED, FONT_SIZE)
    own = {"font.family": _families(), "text.parse_math": False, "savefig.dpi": "figure"}
    return matplotlib.rc_context({**matplotlib.rcParamsDefault, **sizes, **own})


def new_figure(width, height, layout="constrained"):
    """An empty white figure of `width` x `height` inches that a notebook shows without pyplot."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")
    # where no `%matplotlib` has taught the notebook to show figures
    figure._repr_png_ = functools.partial(_small_png, figure)
    return figure


def png(figure, dpi=DPI):
    """A figure as PNG bytes; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def _small_png(figure):
    """A figure as PNG bytes with a palette of 256 colours, a third of the size; without one where it would be seen."""
    data = png(figure)
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    fewer = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    difference = np.asarray(fewer.convert("RGB"), np.int16) - np.asarray(picture, np.int16)
    if np.abs(difference).mean() > SEEN:
        return data
    buffer = io.BytesIO()
    fewer.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def plain_axes(axes, grid):
    """Two spines and a light grid behind: `x`, `y` or `both`."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="#e8e8e8", linewidth=0.8)
    axes.set_axisbelow(True)


def legend_above(axes):
    """On the line of the title, where no curve or bar can run through it."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            frameon=False,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0,
            ncols=4,
            columnspacing=1,
            handlelength=1.2,
        )


def write_finding(figure, text):
    """What a figure of several panels shows, in a sentence above it."""
    figure.suptitle(text, x=0.01, ha="left")


def write_beside(axes, text, place, *, right=3, colour="#555555"):
    """Text `right` points to the right of a place `(x, y)` in the axes' units, such as the end of a bar."""
    axes.annotate(text, place, xytext=(right, 0), textcoords="offset points", va="center", color=colour)
