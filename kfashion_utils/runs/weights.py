"""`Weights`: what a network starts from, parsed once from the text of `TrainConfig.weights`."""

from dataclasses import dataclass
from pathlib import Path

from kfashion_utils.errors import InputError

HUB = "hub:"  # a backbone that is a preset of KerasHub
KINDS = ("none", "imagenet", "preset", "run", "file")


@dataclass(frozen=True)
class Weights:
    """What a network starts from.

    Attributes:
        kind: `none` = random; `imagenet` = the published ones of a row of `BACKBONES`; `preset` = those that a `hub:`
            backbone brings; `run` = the base of a finished run; `file` = a weights-only file.
        path: of the run or the file; None for the other kinds.
    """

    kind: str
    path: Path | None = None

    @classmethod
    def parse(cls, text, backbone):
        """Weights from `TrainConfig.weights`, not None.

        Raises:
            InputError: a `hub:` backbone with weights of another origin.
        """
        if backbone.startswith(HUB) and text not in ("preset", "none"):
            raise InputError(
                f"weights={text!r} with {backbone}: an encoder of KerasHub comes with its own; leave weights out, "
                f"or name the preset's folder as {HUB}FOLDER"
            )
        if text in ("none", "imagenet", "preset"):
            return cls(text)
        return cls("run" if Path(text, "run.json").is_file() else "file", Path(text))

    @property
    def name(self):
        """What it is called in a sentence: its kind, or the name of the file or run."""
        return self.kind if self.path is None else self.path.name

    @property
    def pretrained(self):
        """Whether the network knows anything before it is trained here."""
        return self.kind != "none"
