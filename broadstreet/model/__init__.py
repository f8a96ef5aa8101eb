"""The domain's words: identifiers, units, time, geometry, entities, readings, errors.

No input or output happens here and nothing reads a clock: everything above may use the model, and the model knows
nothing of what is above. What must always hold: a value that exists is valid; whoever constructs one was told
otherwise by an `InvalidInput` that says what, where and what to do.
"""
