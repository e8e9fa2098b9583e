"""kfashion: from K-Fashion archives to a validated leaderboard file. `import kfashion_utils as kf`.

Names are loaded when they are first used, so importing this package is cheap and loads no Keras.
"""

import importlib
import sys
import types

_HOMES = {
    "Head": "labels",
    "Task": "labels",
    "Preprocess": "pixels",
    "TrainConfig": "runs",
    "Run": "runs",
    "InputError": "errors",
    "describe_machine": "environment",
    "open_image": "images",
    "ImageRejected": "images",
    "build_catalog": "datasets",
    "draw_sample": "datasets.sample",
    "read_catalog": "catalog",
    "write_catalog": "catalog",
    "check_catalog": "catalog",
    "split_catalog": "catalog",
    "count_classes": "catalog",
    "photo_views": "views",
    "audit_catalog": "audit",
    "find_label_errors": "label_errors",
    "apply_edits": "label_errors",
    "download": "datasets.download",
    "preprocess_images": "preprocess",
    "train": "training",
    "load_run": "runs",
    "predict": "prediction",
    "predict_zero_shot": "prediction",
    "read_predictions": "runs",
    "write_predictions": "prediction",
    "provenance_path": "runs",
    "evaluate": "evaluation",
    "ensemble": "evaluation",
    "score_intervals": "intervals",
    "class_intervals": "intervals",
    "compare_predictions": "comparison",
    "calibrate": "calibration",
    "temper": "calibration",
    "explain": "explain",
    "write_submission": "submission",
    "report": "report",
    "runs_table": "leaderboard",
    "show_images": "plots",
    "plot_counts": "plots",
    "plot_parents": "data_figures",
    "plot_combinations": "data_figures",
    "plot_together": "data_figures",
    "plot_sizes": "data_figures",
    "plot_boxes": "data_figures",
    "show_regions": "data_figures",
    "show_recipe": "data_figures",
    "plot_history": "plots",
    "plot_confusion": "plots",
    "plot_reliability": "plots",
    "plot_explanation": "plots",
}
__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"kfashion_utils has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__


class _Package(types.ModuleType):
    def __setattr__(self, name, value):
        if not (name in _HOMES and isinstance(value, types.ModuleType)):  # the module `report` does not hide the function `report`
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
