"""The directory of a zip, read in place: where it lies, its records, and names in NFC whatever their encoding.

Sources: PKWARE APPNOTE 6.3.10, 4.3.12 central directory, 4.3.14-16 its end, 4.5.3 zip64 extra field, 4.6.9 Unicode path
extra field.
"""

import struct
import unicodedata
import zlib
from collections import namedtuple

from kfashion_utils.errors import InputError

ENCODINGS = ("utf-8", "cp949", "cp437")  # of unflagged names: today's tools, Windows in Korea, the zip standard
BLOCK = 4 * 2**20  # bytes of the directory read at once; a record has at most 196,651
GUESS = 512  # bytes read for one record: nearly always all of it

# signature, flags, method, crc, sizes (compressed, full), lengths (name, extra, comment), offset
RECORD = struct.Struct("<4s4xHH4xLLLHHH8xL")
# signature, disk, directory's disk, entries here, entries, directory's size, offset, length of the comment
END = struct.Struct("<4sHHHHLLH")
# signature, size, disk, directory's disk, entries here, entries, directory's size, offset
END64 = struct.Struct("<4sQ4xLLQQQQ")
LOCATOR = struct.Struct("<4sLQL")  # signature, disk, offset of END64, disks
RECORD_MARK, END_MARK, END64_MARK, LOCATOR_MARK = b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
UTF8_FLAG = 0x800
ZIP64_EXTRA, UNICODE_PATH_EXTRA = 0x0001, 0x7075
FULL = 0xFFFFFFFF  # the field's value stands in the zip64 extra field
FARTHEST = 2**62  # a larger offset is none

# header_offset: of the local header in the file; raw_name: the bytes that stand in the zip
Member = namedtuple("Member", "name file_size compress_size CRC method flags header_offset raw_name")


class Directory:
    """The directory of one zip.

    Args:
        path: of the zip, for messages.
        read: function(size, offset) -> bytes of the file, fewer only where it ends.
        size: of the file.

    Attributes:
        start: first byte of the directory.
        encoding: of names without the UTF-8 flag; one of `ENCODINGS`, set by who reads them.

    Raises:
        InputError: not a zip, or truncated, or one volume of several.
    """

    def __init__(self, path, read, size):
        self._path, self._read = path, read
        self.encoding = ENCODINGS[0]
        self.start, self._end, self._shift = self._find(size)

    def _find(self, size):
        """(first byte of the directory, byte after it, bytes that stand before the zip): APPNOTE 4.3.14-16."""
        tail_start = max(0, size - END.size - 0xFFFF)
        tail = self._read(size - tail_start, tail_start)
        for at in _end_records(tail):
            found = self._before(tail_start + at, END.unpack_from(tail, at))
            if found:
                return found
        raise self._unreadable("it has no whole directory at its end")

    def _before(self, at, end):
        """What an end record at byte `at` says, or None if no directory lies where it says."""
        _, disk, directory_disk, _, entries, size, offset, _ = end
        locator = self._read(LOCATOR.size, at - LOCATOR.size) if at >= LOCATOR.size else b""
        if locator[:4] == LOCATOR_MARK:
            _, _, place, disks = LOCATOR.unpack(locator)
            at -= LOCATOR.size
            for candidate in (at - END64.size, place):  # the first also where something stands before the zip
                data = self._read(END64.size, candidate) if 0 <= candidate <= at - END64.size else b""
                if data[:4] == END64_MARK:
                    _, _, disk, directory_disk, _, entries, size, offset = END64.unpack(data)
                    at = candidate
                    break
            disk = disk or (disks > 1)
        if disk not in (0, 0xFFFF) or directory_disk not in (0, 0xFFFF):
            remedy = "join them (`zip -s 0`) or unpack them elsewhere"
            raise InputError(f"{self._path} is one volume of a zip in several; {remedy}")
        start = at - size
        if start < offset or (size and self._read(4, start) != RECORD_MARK) or (entries and not size):
            return None
        return start, at, start - offset

    def _unreadable(self, why):
        return InputError(f"{self._path} is not a zip that can be read: {why}; download it again")

    def records(self):
        """Yield (place, fields, name, extra field) of every record, folders too, in order; fields are those of RECORD.

        Raises:
            InputError: the directory is damaged.
            UnicodeDecodeError: `encoding` is not the names'.
        """
        place = self.start
        while place < self._end:
            block = self._read(min(BLOCK, self._end - place), place)
            at, last = 0, len(block) - RECORD.size
            while at <= last:
                fields = RECORD.unpack_from(block, at)
                signature, flags, _, _, _, _, name_length, extra_length, comment_length, _ = fields
                name_start = at + RECORD.size
                name_end = name_start + name_length
                extra_end = name_end + extra_length
                end = extra_end + comment_length
                if signature != RECORD_MARK:
                    raise self._unreadable("its directory is damaged")
                if end > len(block):
                    break
                extra = block[name_end:extra_end]
                yield place + at, fields, self._name(flags, block[name_start:name_end], extra), extra
                at = end
            if at == 0:
                raise self._unreadable("its directory is truncated")
            place += at

    def header_offset(self, fields, extra):
        """Where the local header of a member stands in the file."""
        offset = fields[-1] if fields[-1] != FULL else _sizes(fields, extra)[2]
        return min(offset, FARTHEST) + self._shift

    def member(self, place):
        """The Member whose record stands at byte `place`.

        Raises:
            ValueError: there is none.
        """
        data = self._read(RECORD.size + GUESS, place)
        if len(data) < RECORD.size or data[:4] != RECORD_MARK:
            raise ValueError("broken archive member: the archive changed while it was read")
        fields = RECORD.unpack_from(data)
        _, flags, method, crc, _, _, name_length, extra_length, _, _ = fields
        name_end = RECORD.size + name_length
        extra_end = name_end + extra_length
        if len(data) < extra_end:
            data = self._read(extra_end, place)
        raw, extra = data[RECORD.size : name_end], data[name_end:extra_end]
        try:
            name = self._name(flags, raw, extra)
        except UnicodeDecodeError as error:
            raise ValueError("broken archive member: the archive changed while it was read") from error
        full, packed, _ = _sizes(fields, extra)
        return Member(name, full, packed, crc, method, flags, self.header_offset(fields, extra), raw)

    def _name(self, flags, raw, extra):
        """The name in NFC. UnicodeDecodeError: the encoding tried for unflagged names is not the archive's."""
        if raw.isascii() and not extra:
            return raw.decode("ascii")
        name = _unicode_path(raw, extra)
        if not name:
            flagged = _utf8(raw) if flags & UTF8_FLAG else None
            name = raw.decode(self.encoding) if flagged is None else flagged
        return unicodedata.normalize("NFC", name)


def _end_records(tail):
    """Where end records may stand: those whose comment ends with the file, outermost first; then the others."""
    found, at = [], tail.find(END_MARK)
    while 0 <= at <= len(tail) - END.size:
        found.append(at)
        at = tail.find(END_MARK, at + 1)
    comment_ends = {at: at + END.size + END.unpack_from(tail, at)[-1] for at in found}
    last = [at for at in found if comment_ends[at] == len(tail)]
    others = [at for at in found if comment_ends[at] != len(tail)]
    return [*last, *reversed(others)]


def _field(extra, wanted):
    """The data of one extra field (APPNOTE 4.5), empty if there is none."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


def _sizes(fields, extra):
    """(full size, compressed size, offset), with what the zip64 extra field says.

    A value that should be there and is not stays 4 GB - 1.
    """
    _, _, _, _, packed, full, _, _, _, offset = fields
    values = [full, packed, offset]
    if FULL in values:
        data = _field(extra, ZIP64_EXTRA)
        count = len(data) // 8
        numbers = iter(struct.unpack(f"<{count}Q", data[: 8 * count]))
        values = [next(numbers, FULL) if value == FULL else value for value in values]
    return values


def _unicode_path(raw, extra):
    """The name that the Unicode path extra field gives for `raw`; None or empty if it gives none."""
    field = _field(extra, UNICODE_PATH_EXTRA) if extra else b""
    if field[:1] == b"\x01" and field[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
        return _utf8(field[5:])
    return None


def _utf8(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
