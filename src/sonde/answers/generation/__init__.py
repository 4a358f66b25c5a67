"""A text is written for each example, such as its translation."""
