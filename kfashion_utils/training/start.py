"""What a training starts from: the file of its weights, and what tells them from others."""

from kfashion_utils.errors import InputError
from kfashion_utils.models.model import trained_base
from kfashion_utils.models.weight_files import file_digest, save_weights, weights_file
from kfashion_utils.runs.run import load_run
from kfashion_utils.storage.files import hash_file


def starting_weights(config, cache):
    """(path of the backbone's weights, their sha256) of a TrainConfig without open fields.

    The path is None for random weights and `preset` for KerasHub's, both without a hash. Weights that another run ended
    with are told by that run's file: the one made of it holds names that Keras numbers anew each time.

    Args:
        cache: folder of caches; the base of another run is kept there.

    Raises:
        InputError: no such weights, those of another backbone, or not weights alone.
    """
    start = config.start
    if start.kind == "preset":
        return "preset", None
    if start.kind == "run":
        return _weights_of_run(start.path, config, cache)
    path = weights_file(config.backbone, config.weights)
    return path, file_digest(path)


def _weights_of_run(path, config, cache):
    other = load_run(path)
    if other.config.backbone != config.backbone:
        raise InputError(
            f"weights={path}: a run of {other.config.backbone!r}, this recipe is of {config.backbone!r}; "
            "name the same backbone"
        )
    digest = hash_file(other.weights)
    kept = cache / "weights" / f"{digest[:32]}.weights.h5"
    if not kept.is_file():
        save_weights(trained_base(other), kept)
    return kept, digest
