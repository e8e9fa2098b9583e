"""Keras' own names: each is there and does what is relied on, in every version that is tested."""

import keras
import numpy as np
from keras import layers

from kfashion_utils.models.internals import all_layers, is_leaf, seed_generators, variable_index


def nested():
    """A model within a model: a convolution, a batch norm and a dropout in the inner one, another dropout outside."""
    image = layers.Input((4, 4, 3))
    inner = layers.Dropout(0.5, name="inner_drop")(layers.BatchNormalization()(layers.Conv2D(2, 1)(image)))
    inner = keras.Model(image, inner, name="inner")
    outside = layers.Input((4, 4, 3))
    return keras.Model(outside, layers.Dropout(0.5, name="outer_drop")(inner(outside)))


def test_all_layers_finds_those_within_models_within():
    model = nested()
    kinds = [type(layer).__name__ for layer in all_layers(model)]
    assert kinds.count("Dropout") == 2 and {"Conv2D", "BatchNormalization", "Functional"} <= set(kinds)
    leaves = {type(layer).__name__ for layer in all_layers(model) if is_leaf(layer)}
    assert "Functional" not in leaves and "Conv2D" in leaves


def test_seed_generators_are_those_of_all_layers_once_and_can_be_set():
    model = nested()
    generators = seed_generators(model)
    assert len(generators) == 2
    inputs = np.ones((1, 4, 4, 3), np.float32)
    answers = []
    for _ in range(2):
        for number, generator in enumerate(generators):
            generator.state.assign(np.array([number, 0], generator.state.dtype))
        answers.append(keras.ops.convert_to_numpy(model(inputs, training=True)))
    np.testing.assert_array_equal(*answers)


def test_a_variable_has_its_place_in_an_optimizer():
    variables = [keras.Variable(np.zeros(2, np.float32)) for _ in range(3)]
    optimizer = keras.optimizers.AdamW()
    optimizer.build(variables)
    assert [variable_index(optimizer, variable) for variable in variables] == [0, 1, 2]
