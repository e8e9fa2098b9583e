"""The command line: `kfashion VERB …` = `python -m kfashion_utils VERB …`. The verbs are the functions of `cli/`."""

import ast
import contextlib
import functools
import importlib
import os
import sys
from pathlib import Path

import kfashion_utils
from kfashion_utils.environment import require_backend
from kfashion_utils.errors import InputError, did_you_mean

MODULES = ("data", "models", "results")  # of `cli`, whose functions are the verbs, in the order in which they are shown
KERAS_VERBS = ("demo", "train", "predict", "report")
INPUT_ERROR, STORAGE_ERROR, INTERRUPTED = 2, 1, 130


def verbs():
    """{verb: (module, first line of its docstring)}, read without importing anything."""
    found = {}
    for module in MODULES:
        source = Path(__file__).with_name("cli") / f"{module}.py"
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found[node.name] = module, ast.get_docstring(node).splitlines()[0]
    return found


def usage():
    """The table of verbs."""
    lines = [f"  {name:<11} {text}" for name, (_, text) in verbs().items()]
    return "\n".join(["usage: kfashion VERB …        (kfashion VERB --help says more)", "", *lines])


def main(arguments=None):
    """Run one verb; returns the exit code: 0, or 2 for bad input with one message on standard error."""
    from kfashion_utils.output import steady_output

    with steady_output():
        return _main(list(sys.argv[1:] if arguments is None else arguments))


def _main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else INPUT_ERROR
    if arguments[0] in ("-V", "--version"):
        print(f"kfashion {kfashion_utils.__version__}")
        return 0
    verb, *rest = arguments
    if verb not in verbs():
        print(f"kfashion: unknown verb {verb!r}{did_you_mean(verb, verbs())}\n\n{usage()}", file=sys.stderr)
        return INPUT_ERROR

    try:
        _run(verb, rest)
    except InputError as error:
        from kfashion_utils.cli.flags import as_typed

        print(f"kfashion {verb}: {as_typed(str(error), _function(verb))}", file=sys.stderr)
        return INPUT_ERROR
    except (IsADirectoryError, NotADirectoryError, FileExistsError, PermissionError) as error:
        print(f"kfashion {verb}: {error.filename}: {error.strerror}; name another file or folder", file=sys.stderr)
        return INPUT_ERROR
    except OSError as error:
        print(
            f"kfashion {verb}: the storage failed: {error}; calling the same command again continues", file=sys.stderr
        )
        return STORAGE_ERROR
    except KeyboardInterrupt:
        print(f"\nkfashion {verb}: interrupted; calling the same command again continues", file=sys.stderr)
        return INTERRUPTED
    return 0


def _function(verb):
    module, _ = verbs()[verb]
    return getattr(importlib.import_module(f"kfashion_utils.cli.{module}"), verb)


def _run(verb, arguments):
    """Parse the arguments of a verb and call it; Keras is loaded when they are known to be right."""
    import tyro

    from kfashion_utils.cli.flags import with_flags
    from kfashion_utils.cli.options import new_flags, with_config
    from kfashion_utils.storage.colab import require_mounted

    for word in arguments:
        require_mounted(word.rpartition("=")[2])
    function = _function(verb)
    if verb == "train":
        arguments = new_flags(arguments)
        function = with_config(function, arguments)
    if verb in KERAS_VERBS:
        function = _with_keras(function)
    markers = tyro.conf.OmitArgPrefixes, tyro.conf.DisallowNone, tyro.conf.PositionalMetavarFromFieldName
    tyro.cli(with_flags(function), prog=f"kfashion {verb}", args=arguments, config=markers)


def _with_keras(function):
    """The same function, before which Keras is imported, unless it is told to do without (`heat=False`); what a verb's
    module can tell without it (`BEFORE_KERAS`) is told before."""

    @functools.wraps(function)
    def call(*arguments, **options):
        first = getattr(sys.modules[function.__module__], "BEFORE_KERAS", {}).get(function.__name__)
        if first:
            first(*arguments, **options)
        if options.get("heat", True):
            require_backend()
            _import_keras()
        return function(*arguments, **options)

    return call


def _import_keras():
    """Import Keras without the dozen lines that TensorFlow's C++ writes to standard error while it loads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as nothing, contextlib.ExitStack() as stack:
        kept = os.dup(2)
        stack.callback(os.close, kept)
        stack.callback(os.dup2, kept, 2)
        os.dup2(nothing.fileno(), 2)
        import keras  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
