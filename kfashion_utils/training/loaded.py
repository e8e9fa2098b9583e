"""A finished run that answers: `kf.load_run("runs/a").predict("photo.jpg")`."""

from kfashion_utils.runs import run as runs


class LoadedRun(runs.Run):
    """A Run that can be asked about photographs; its model stays loaded after the first answer."""

    def predict(self, pictures, *, boxes=None, prior=None, progress=True):
        """Answers for photographs: a path, a folder, encoded bytes, an array, Pillow's picture, or several; see
        `predict_photographs`."""
        from kfashion_utils.training.photographs import predict_photographs

        return predict_photographs(self, pictures, boxes=boxes, prior=prior, progress=progress)


def load_run(path):
    """A finished run, which answers photographs by its `predict`.

    Raises:
        InputError: no such folder, or the run is not finished.
    """
    return LoadedRun(runs.load_run(path).path)
