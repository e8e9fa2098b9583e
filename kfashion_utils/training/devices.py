"""What Keras leaves to its backends: devices, precision, slopes. The only place of the core that asks TensorFlow or
JAX."""

import contextlib
import os
import tempfile
from pathlib import Path

import keras
import pooch

from kfashion_utils.errors import InputError
from kfashion_utils.output import say

CHOICES = (None, "gpu", "all")
HALF = ((8.0, "mixed_bfloat16"), (7.0, "mixed_float16"))  # from which compute capability of NVIDIA's GPUs each gains


def require_devices(devices, batch_size):
    """Refuse devices that are not there or cannot share a batch evenly; returns how many share one.

    Args:
        devices: see `train`.

    Raises:
        InputError: a GPU is asked for and there is none; several devices on a backend other than TensorFlow; a batch
            that they cannot share.
    """
    if devices not in CHOICES:
        raise InputError(f"devices={devices!r}: expected one of {CHOICES}")
    if devices == "gpu" and not gpus():
        raise InputError(
            f"devices='gpu', and Keras' {keras.backend.backend()} backend sees none; "
            "in Colab choose Runtime, Change runtime type, GPU, or leave devices out"
        )
    if devices == "all" and keras.backend.backend() != "tensorflow":
        raise InputError(
            f"devices='all' needs Keras' tensorflow backend, this is {keras.backend.backend()}; leave devices out"
        )
    count = len(_all_devices()) if devices == "all" else 1
    if batch_size % count:
        raise InputError(
            f"batch_size={batch_size} cannot be shared evenly by {count} devices; use a multiple of {count}"
        )
    return count


def device_scope(devices):
    """Context manager: within the block models are built on the devices asked for, which `require_devices` found to be
    there."""
    if devices != "all":
        return contextlib.nullcontext()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(_all_devices()).scope()


def _all_devices():
    import tensorflow as tf

    return [device.name for device in tf.config.list_logical_devices("GPU" if gpus() else "CPU")]


def gpus():
    """The GPUs that Keras' backend sees, a list."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.config.list_physical_devices("GPU")
    if keras.backend.backend() == "jax":
        import jax

        return [device for device in jax.devices() if device.platform == "gpu"]
    return []


def precision_of(config):
    """Keras' dtype policy for a TrainConfig here: half precision only for fine-tuning on a GPU that gains by it
    (PERFORMANCE: on the CPU little does)."""
    found = gpus() if config.precision == "auto" and config.fine_tune_epochs else []
    if not found:
        return "float32"
    capability = _capability(found[0])
    return next((policy for least, policy in HALF if capability >= least), "float32")


def compile_kernels():
    """Keras' `jit_compile`: XLA gains on a GPU and on JAX; on the CPU TensorFlow is 13 times slower with it."""
    return "auto" if keras.backend.backend() != "tensorflow" or gpus() else False


def prediction_batch():
    """Pictures that are answered at once: a GPU is filled by more than the processor's caches hold."""
    return 256 if gpus() else 32


def one_shape(batch_size):
    """What the size of every batch is to be a multiple of: all of a size where each shape is compiled anew."""
    return batch_size if compile_kernels() else 1


def keep_compiled():
    """Let JAX keep what it compiles, and use it in later calls (`KFASHION_COMPILED`, else the user's cache folder).

    A folder that cannot be written to is said and done without; JAX itself leaves entries of other versions alone, and
    goes on without those that it cannot write. TensorFlow reads its flag for this when it is imported, so it is the
    user's to set: `TF_XLA_FLAGS=--tf_xla_persistent_cache_directory=FOLDER`.
    """
    if keras.backend.backend() != "jax":
        return
    folder = Path(os.environ.get("KFASHION_COMPILED") or pooch.os_cache("kfashion") / "compiled")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        say(f"{folder} cannot be written to ({error.strerror}): what is compiled will be compiled again next time")
        return
    import jax

    jax.config.update("jax_compilation_cache_dir", str(folder))


class OutOfMemory(InputError):
    """A batch did not fit into the memory."""


@contextlib.contextmanager
def memory_blamed(batch_size):
    """Tell out-of-memory errors from others.

    Raises:
        OutOfMemory: there was one.
    """
    try:
        yield
    except Exception as error:  # TensorFlow's ResourceExhaustedError and JAX's XlaRuntimeError have no base in common
        exhausted = "RESOURCE_EXHAUSTED" in str(error) or type(error).__name__ == "ResourceExhaustedError"
        if not exhausted and not isinstance(error, MemoryError):
            raise
        words = f"out of memory with batch_size={batch_size}; choose smaller pictures or another backbone"
        raise OutOfMemory(words) from error


def multiplier(matrix):
    """Function (values) -> `values @ matrix`, float32 NumPy arrays: on the GPU, where the matrix is moved once, if
    there is one; it rounds as the processor does, not to the ten bits of TF32."""
    if not gpus():
        return lambda values: values @ matrix
    held = keras.ops.convert_to_tensor(matrix)

    def times(values):
        with _whole_floats():
            return keras.ops.convert_to_numpy(keras.ops.matmul(values, held))

    return times


@contextlib.contextmanager
def _whole_floats():
    """Within the block products of float32 are float32."""
    if keras.backend.backend() == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
        return
    import tensorflow as tf

    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _capability(gpu):
    if keras.backend.backend() == "jax":
        return float(gpu.compute_capability)
    import tensorflow as tf

    major, minor = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return major + minor / 10


def slopes(function, values):
    """What a scalar function gains by each value of its argument: arrays in the shapes of `values`, a list of tensors.

    Raises:
        InputError: a backend for which no slopes are written.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(values)
            total = function(values)
        found = tape.gradient(total, values, unconnected_gradients="zero")
    elif keras.backend.backend() == "jax":
        import jax

        found = jax.grad(function)(values)
    else:
        raise InputError(
            "explain needs slopes, which are written for Keras' tensorflow and jax backends, "
            f"not {keras.backend.backend()}; set KERAS_BACKEND"
        )
    return [keras.ops.convert_to_numpy(one) for one in found]
