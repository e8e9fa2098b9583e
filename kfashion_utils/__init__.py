"""kfashion: from K-Fashion archives to a validated leaderboard file. `import kfashion_utils as kf`.

Names are loaded when they are first used, so importing this package is cheap and loads no Keras. Where one of its
functions takes a catalog or predictions, it takes the path of a file with them as well.
"""

import importlib
import inspect

__version__ = "0.1.0"
_HOMES = {
    "describe_machine": "environment",
    "InputError": "errors",
    "ImageRejected": "errors",
    "Head": "tables.labels",
    "Task": "tables.labels",
    "gloss": "tables.tasks",
    "read_catalog": "tables.catalog",
    "write_catalog": "tables.catalog",
    "check_catalog": "tables.catalog",
    "split_catalog": "tables.splits",
    "count_classes": "tables.splits",
    "photo_views": "tables.views",
    "read_predictions": "tables.predictions",
    "write_predictions": "tables.predictions",
    "provenance_path": "tables.predictions",
    "ensemble": "tables.predictions",
    "build_catalog": "datasets",
    "draw_sample": "datasets.sample",
    "download": "storage.downloads",
    "open_image": "images.decoding",
    "Preprocess": "images.recipe",
    "preprocess_images": "images.prepare",
    "evaluate": "evaluation.figures",
    "describe": "evaluation.figures",
    "score_intervals": "evaluation.intervals",
    "class_intervals": "evaluation.intervals",
    "compare_predictions": "evaluation.comparison",
    "calibrate": "evaluation.calibration",
    "temper": "evaluation.calibration",
    "write_submission": "evaluation.submission",
    "find_label_errors": "evaluation.label_errors",
    "apply_edits": "evaluation.label_errors",
    "TrainConfig": "runs.config",
    "Run": "runs.run",
    "load_run": "training.loaded",
    "runs_table": "runs.table",
    "train": "training.train",
    "predict": "training.predict",
    "predict_photographs": "training.photographs",
    "predict_zero_shot": "training.predict",
    "explain": "training.explanation",
    "audit_catalog": "audit.audit",
    "report": "reports.report",
    "show_images": "plots.pictures",
    "plot_explanation": "plots.pictures",
    "plot_counts": "plots.counts",
    "plot_parents": "plots.counts",
    "plot_combinations": "plots.combinations",
    "plot_together": "plots.together",
    "plot_sizes": "plots.sizes",
    "plot_boxes": "plots.sizes",
    "show_regions": "plots.regions",
    "show_recipe": "plots.regions",
    "plot_history": "plots.curves",
    "plot_reliability": "plots.curves",
    "plot_confusion": "plots.confusion",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"kfashion_utils has no {name!r}; it has {', '.join(__all__)}")
    if _HOMES[name].startswith(("models.", "training.")):
        importlib.import_module(f"{__name__}.environment").require_backend()
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if inspect.isfunction(value):
        value = importlib.import_module(f"{__name__}.tables.arguments").takes_paths(value)
    globals()[name] = value
    return value


def __dir__():
    return __all__
