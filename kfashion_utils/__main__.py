"""The command line: `kfashion VERB …` = `python -m kfashion_utils VERB …`. The verbs are the functions of `cli/commands.py`."""

import ast
import contextlib
import json
import os
import sys
from pathlib import Path

COMMANDS = Path(__file__).with_name("cli") / "commands.py"
KERAS_VERBS = ("demo", "train", "predict", "report")
WITHOUT_KERAS = {"-h", "--help", "--no-heat"}
INPUT_ERROR, STORAGE_ERROR, INTERRUPTED = 2, 1, 130


def verbs():
    """{verb: first line of its docstring}, read without importing anything."""
    functions = (
        node for node in ast.parse(COMMANDS.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    )
    return {node.name: ast.get_docstring(node).splitlines()[0] for node in functions if not node.name.startswith("_")}


def usage():
    """The table of verbs."""
    lines = [f"  {name:<11} {text}" for name, text in verbs().items()]
    return "\n".join(["usage: kfashion VERB …        (kfashion VERB --help says more)", "", *lines])


def main(arguments=None):
    """Run one verb; returns the exit code: 0, or 2 for bad input with one message on standard error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else INPUT_ERROR
    verb, *rest = arguments
    if verb not in verbs():
        print(f"kfashion: unknown verb {verb!r}\n\n{usage()}", file=sys.stderr)
        return INPUT_ERROR
    from kfashion_utils.errors import InputError

    try:
        import tyro

        from kfashion_utils.cli import commands

        if verb in KERAS_VERBS and not WITHOUT_KERAS & set(rest):
            _import_keras()
        function = getattr(commands, verb)
        tyro.cli(function, prog=f"kfashion {verb}", args=_with_config(rest), config=(tyro.conf.OmitArgPrefixes,))
    except InputError as error:
        print(f"kfashion {verb}: {error}", file=sys.stderr)
        return INPUT_ERROR
    except BrokenPipeError:  # `kfashion … | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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


def _import_keras():
    """Import Keras without the dozen lines that TensorFlow's C++ writes to standard error while it loads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(os.devnull, "w") as nothing, contextlib.ExitStack() as stack:
        kept = os.dup(2)
        stack.callback(os.close, kept)
        stack.callback(os.dup2, kept, 2)
        os.dup2(nothing.fileno(), 2)
        import keras  # noqa: F401


def _with_config(arguments):
    """Flags for the recipes in the file that `--config` names, put before the given flags, which go over them."""
    from kfashion_utils.errors import InputError
    from kfashion_utils.images.recipe import Preprocess
    from kfashion_utils.recipes import from_dict
    from kfashion_utils.runs.config import TrainConfig

    named = [after for flag, after in zip(arguments, arguments[1:], strict=False) if flag == "--config"]
    named += [flag.partition("=")[2] for flag in arguments if flag.startswith("--config=")]
    if not named:
        return arguments
    if len(named) > 1:
        raise InputError(f"--config is given {len(named)} times: {named}; one recipe can be repeated")
    path = Path(named[0])
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"--config {path}: not a readable JSON file ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"--config {path}: expected a run.json, got {str(values)[:60]}")
    recipes = [
        from_dict(cls, values.get(part, {}), f"{path}, {part!r}")
        for part, cls in (("preprocess", Preprocess), ("train", TrainConfig))
    ]
    from kfashion_utils.reports.recipe import flag_words

    flags = [flag_words(name, value) for name, value in {**recipes[0].to_dict(), **recipes[1].to_dict()}.items()]
    flags += [["--split", values["split"]]] if values.get("split") else []
    flags.sort(key=len, reverse=True)  # a flag with several values would swallow what follows, were it the last
    return [*(word for flag in flags for word in flag), *arguments]


if __name__ == "__main__":
    sys.exit(main())
