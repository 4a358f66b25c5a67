"""Weights that others have trained, and that a fresh model begins with: one file for each kind of them.

What they are of (tokens, sizes) is read in `data/`, since it decides how the data is read; here are the numbers alone.
Afterwards a model is whole without the files they came from.
"""
