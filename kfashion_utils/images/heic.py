"""HEIC, as phones write it (ISO/IEC 23008-12): read by `pillow-heif` under the limits of the other formats."""

import io

from kfashion_utils import extras
from kfashion_utils.errors import ImageRejected

START = rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)"  # the first bytes: a box of that brand


def open_heic(data):
    """(Pillow's picture, not loaded yet; no EXIF: the turning that it states is done by the decoder).

    Raises:
        ImageRejected: the extra is not installed.
    """
    if not extras.reads_heic():
        raise ImageRejected("not a picture", f"HEIC; {extras.HEIC_REMEDY}")
    from pillow_heif import HeifImageFile

    return HeifImageFile(io.BytesIO(data)), b""
