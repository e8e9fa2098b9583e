"""What an extra of the package lets it read: facts for those who list files and those who decode them."""

import importlib.util

HEIC_SUFFIXES = (".heic", ".heif")
HEIC_REMEDY = "pip install 'kfashion-utils[heic]' reads it, or convert it to .jpg"


def reads_heic():
    """Whether `pillow-heif`, the extra `heic`, is installed."""
    return importlib.util.find_spec("pillow_heif") is not None
