"""64-bit perceptual hashes of pictures.

pHash: signs of the lowest frequencies of the picture's cosine transform, so that the hash of a mirror image is the hash
with the bits of `MIRROR` flipped, and both are found by one search. dHash: whether each place is brighter than its
neighbour, the independent second opinion.
"""

import cv2
import numpy as np

BITS = 64
SIDE = 32  # pHash sees the picture at this size

_frequencies = sorted(
    ((u, v) for u in range(SIDE) for v in range(SIDE) if u + v), key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair)
)[:BITS]
ROWS, COLUMNS = np.array(_frequencies).T  # of the transform, lowest first
MIRROR = int(np.packbits(COLUMNS % 2 == 1).view(">u8")[0])  # odd frequencies across change their sign in a mirror


def perceptual_hash(grey):
    """pHash of uint8 grey `(h, w)` as an int; that of the mirror image is `hash ^ MIRROR`."""
    transform = cv2.dct(resized(grey, SIDE, SIDE).astype(np.float32))
    return _as_number(transform[ROWS, COLUMNS] > 0)


def difference_hashes(grey):
    """dHash of uint8 grey `(h, w)` and of its mirror image, two ints."""
    small = resized(grey, 9, 8).astype(np.int16)
    return tuple(_as_number((way[:, 1:] > way[:, :-1]).ravel()) for way in (small, small[:, ::-1]))


def resized(picture, width, height):
    """uint8 `(h, w)` or `(h, w, 3)` averaged (or, where it is smaller, interpolated) to a size."""
    larger = picture.shape[0] >= height and picture.shape[1] >= width
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if larger else cv2.INTER_LINEAR)


def _as_number(bits):
    return int(np.packbits(bits).view(">u8")[0])


def distances(hashes, pairs, mirror=0):
    """(bits that differ, bits that differ from the mirror image) of pairs, uint8 `(pairs,)` each."""
    different = hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]
    return np.bitwise_count(different), np.bitwise_count(different ^ np.uint64(mirror))
