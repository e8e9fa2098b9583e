"""Seeded mutations of whole files."""

import random
import struct

from hostile_parts import chunk, whole_files


def mutations(seed, count):
    """(number, name, bytes): every one depends on the seed and its number only."""
    files = whole_files()
    names = sorted(files)
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        data = bytearray(files[name])
        for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
            chance.choice(MUTATIONS)(data, chance, files[chance.choice(names)])
        if name.startswith(("PNG", "APNG")) and chance.random() < 0.7:
            data = right_checksums(bytes(data))  # else nothing but checksums would be tried
        yield number, name, bytes(data)


def place(data, chance):
    """Half of the changes fall anywhere, half into the first 200 bytes."""
    reach = len(data) if chance.random() < 0.5 else min(len(data), 200)
    return chance.randrange(max(1, reach))


def flip_bit(data, chance, _):
    if data:
        data[place(data, chance)] ^= 1 << chance.randrange(8)


def set_byte(data, chance, _):
    if data:
        data[place(data, chance)] = chance.choice((0, 1, 127, 128, 254, 255, chance.randrange(256)))


def cut(data, chance, _):
    del data[place(data, chance) :]


def take_out(data, chance, _):
    at = place(data, chance)
    del data[at : at + chance.choice((1, 2, 4, 8, 64))]


def double(data, chance, _):
    at, length = place(data, chance), chance.choice((1, 2, 4, 16, 100, 1000))
    data[at:at] = data[at : at + length]


def splice(data, chance, other):
    data[place(data, chance) :] = other[chance.randrange(len(other)) :]


def insert(data, chance, _):
    at = place(data, chance)
    data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 50)))


def set_length(data, chance, _):
    at = place(data, chance)
    value = chance.choice((0, 1, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, chance.randrange(2**32)))
    field = struct.pack(chance.choice("<>") + "I", value)
    size = chance.choice((2, 4))
    data[at : at + size] = field[-size:]


MUTATIONS = (flip_bit, flip_bit, set_byte, set_byte, cut, take_out, double, splice, insert, set_length, set_length)


def right_checksums(data):
    """A PNG whose chunks' checksums fit again, as far as its lengths lead."""
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        if at + 12 + length > len(data):
            break
        parts.append(chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join(parts) + data[at:]
