"""Kernels on the rows that they are learned from: what L-BFGS needs of the rows, in the cheaper of two ways to write a
kernel.

A kernel that a penalty on its length holds is a sum of rows (the representer theorem: Schölkopf, Herbrich & Smola, A
generalized representer theorem, COLT 2001). `Dual` writes it as the shares of the rows and needs only the rows' inner
products, `(n, n)`, computed once; `Primal` writes it as it is. The solution is the same.
"""

from dataclasses import dataclass

import numpy as np

from kfashion_utils.training.devices import multiplier


@dataclass
class Point:
    """Kernels and biases of several problems, or a change of them.

    Attributes:
        coefs: float32 `(problems, classes, n or depth)`, the kernels as they are written.
        images: float32 `(problems, classes, n)`, what the kernels answer to the rows.
        biases: float32 `(problems, classes)`.
    """

    coefs: np.ndarray
    images: np.ndarray
    biases: np.ndarray

    def __getitem__(self, chosen):
        return Point(self.coefs[chosen], self.images[chosen], self.biases[chosen])

    def __setitem__(self, chosen, other):
        self.coefs[chosen], self.images[chosen], self.biases[chosen] = other.coefs, other.images, other.biases

    def __sub__(self, other):
        return Point(self.coefs - other.coefs, self.images - other.images, self.biases - other.biases)

    def add(self, other, factors):
        """Add another one's parts times a factor for each problem."""
        factors = np.reshape(factors, (-1, 1, 1)).astype(np.float32)
        self.coefs += factors * other.coefs
        self.images += factors * other.images
        self.biases += factors[:, :, 0] * other.biases
        return self

    def times(self, factors):
        """Each problem's part times its factor."""
        factors = np.reshape(factors, (-1, 1, 1)).astype(np.float32)
        return Point(self.coefs * factors, self.images * factors, self.biases * factors[:, :, 0])

    def middle(self):
        """The mean of the problems, as one problem's point."""
        return Point(*(array.mean(axis=0, keepdims=True) for array in (self.coefs, self.images, self.biases)))

    def copy(self):
        return Point(self.coefs.copy(), self.images.copy(), self.biases.copy())


class Dual:
    """Kernels as shares of the rows, for fewer rows than two times the features."""

    def __init__(self, rows):
        self.rows = rows
        self._times = multiplier(multiplier(rows.T)(rows))

    def zeros(self, problems, classes):
        return _zeros(problems, classes, len(self.rows), len(self.rows))

    def pull(self, slopes):
        """(coefs, images) of the kernels that are the rows' sums weighted by `slopes` `(problems, classes, n)`."""
        return slopes.copy(), self._times(slopes.reshape(-1, slopes.shape[2])).reshape(slopes.shape)

    @staticmethod
    def inner(one, other):
        """Inner products of two points' kernels, float64 `(problems,)`."""
        return inner_products(one.coefs, other.images)

    def kernels(self, coefs):
        """Kernels float32 `(problems, depth, classes)`."""
        return np.stack([self.rows.T @ one.T for one in coefs])


class Primal:
    """Kernels as they are; the same questions as of `Dual`."""

    def __init__(self, rows):
        self.rows = rows
        self._down, self._up = multiplier(rows), multiplier(rows.T)

    def zeros(self, problems, classes):
        count, depth = self.rows.shape
        return _zeros(problems, classes, depth, count)

    def pull(self, slopes):
        coefs = self._down(slopes.reshape(-1, slopes.shape[2]))
        images = self._up(coefs)
        return coefs.reshape(*slopes.shape[:2], -1), images.reshape(slopes.shape)

    @staticmethod
    def inner(one, other):
        return inner_products(one.coefs, other.coefs)

    def kernels(self, coefs):
        return coefs.transpose(0, 2, 1).copy()


def kernel_space(rows):
    """Dual or Primal of float32 rows `(n, depth)`, whichever has less to read."""
    count, depth = rows.shape
    return (Dual if count <= 2 * depth else Primal)(rows)


def _zeros(problems, classes, length, count):
    shapes = ((problems, classes, length), (problems, classes, count), (problems, classes))
    return Point(*(np.zeros(shape, np.float32) for shape in shapes))


def inner_products(one, other):
    """Of the arrays of each problem, float64 `(problems,)`."""
    flat = (len(one), 1, -1)
    return (one.reshape(flat) @ other.reshape(len(one), -1, 1))[:, 0, 0].astype(np.float64)
