"""The optimizer: AdamW with a factor on each variable's rate and a moving average of the weights."""

import keras

from kfashion_utils.models.internals import variable_index


class FactoredAdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov & Hutter, ICLR 2019) with a factor on each variable's step; it leaves the weights as they are
    when a `fit` ends."""

    def __init__(self, factors, **options):
        super().__init__(**options)
        self.factors = factors

    def update_step(self, gradient, variable, learning_rate):
        factor = self.factors[variable_index(self, variable)]
        super().update_step(gradient, variable, learning_rate * factor)

    def finalize_variable_values(self, var_list):
        """Nothing: Keras would put the average in place of the weights after every `fit`, and there is one an epoch."""

    def put_average(self, variables):
        """Give variables copies of their moving averages: on JAX they would otherwise share an array, which the next
        `predict` gives away."""
        super().finalize_variable_values(variables)
        for variable in variables:
            variable.assign(keras.ops.copy(variable))


def build_optimizer(model, variables, config):
    """The optimizer of a TrainConfig for some variables of a model with a layer `backbone`; those outside of it learn
    `classifier_factor` times as fast. Where the backbone computes in float16 the loss is scaled."""
    backbone = model.get_layer("backbone")
    base = {id(variable) for variable in backbone.variables}
    factors = [1.0 if id(variable) in base else config.classifier_factor for variable in variables]
    average = {"use_ema": True, "ema_momentum": config.ema} if config.ema else {}
    optimizer = FactoredAdamW(factors, learning_rate=config.rate(1), weight_decay=config.weight_decay, **average)
    return keras.optimizers.LossScaleOptimizer(optimizer) if backbone.compute_dtype == "float16" else optimizer


def inner_optimizer(optimizer):
    """The optimizer within one that scales the loss; itself where there is none."""
    return getattr(optimizer, "inner_optimizer", optimizer)
