"""Recordings: reading sound, the mel spectrogram, guesses, and augmentation."""
