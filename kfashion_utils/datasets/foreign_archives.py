"""Archives that are not read in place: which one a file name is, and how to make of it what can be read."""

import re
from pathlib import PurePosixPath
from typing import NamedTuple


class Form(NamedTuple):
    """One form of archive: a pattern of file names, what it is, how to unpack or join it (`{name}`, `{stem}`)."""

    pattern: re.Pattern
    what: str
    remedy: str


def _form(pattern, what, remedy):
    return Form(re.compile(pattern, re.IGNORECASE), what, remedy)


BY_NUMBER = "join the pieces in the order of their numbers: ls -v '{stem}'.part* | xargs -d '\\n' cat > '{stem}'"
VOLUMES = "join the volumes in their order: cat '{stem}'.??? > '{stem}'"
SPANNED = "join the volumes: zip -s 0 '{stem}.zip' --out joined.zip"
RAR = "unpack it (unrar x '{name}'; of several volumes the first)"
TAR = "unpack it (tar -xf '{name}')"
KOREAN = "unpack it (Bandizip, or unar '{name}')"
SEVEN_ZIP = "unpack it (7z x '{name}'), or pack its files as a .zip"
FORMS = (  # the first that fits
    _form(r"(?P<stem>.+\.zip)\.part\d*", "piece of a zip", BY_NUMBER),
    _form(r"(?P<stem>.+\.(zip|7z|tar|egg|alz))\.\d{2,3}", "volume of an archive", VOLUMES),
    _form(r"(?P<stem>.+)\.z\d\d", "volume of a zip", SPANNED),
    _form(r"(?P<stem>.+?)(\.part\d+)?\.(rar|r\d\d)", "RAR archive", RAR),
    _form(r"(?P<stem>.+)\.(egg|alz|a\d\d)", "ALZip archive ({suffix})", KOREAN),
    _form(r"(?P<stem>.+)\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst|lz4|z))", "tar archive", TAR),
    _form(r"(?P<stem>.+)\.(7z|zipx|lzh|lha|cab|arj|ace|sitx?|iso|dmg)", "archive ({suffix})", SEVEN_ZIP),
)


def foreign_archive(address, there=()):
    """(reason, remedy) where a file name is that of an archive that is not read; None of any other.

    Args:
        address: of the file, with folders.
        there: addresses of all files, to see whether its pieces were joined already.
    """
    path = PurePosixPath(address)
    for form in FORMS:
        match = form.pattern.fullmatch(path.name)
        if match:
            whole = str(path.with_name(match["stem"]))
            joined = (
                f"; {whole} lies beside it: if the pieces were joined to that, delete them" if whole in there else ""
            )
            remedy = form.remedy.format(name=path.name, stem=match["stem"])
            return f"{form.what.format(suffix=path.suffix.lower())} is not read", remedy + joined
    return None
