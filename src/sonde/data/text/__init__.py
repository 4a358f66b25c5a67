"""Texts: files, tokens, word vectors, pretrained encoders, guesses, and augmentation."""
