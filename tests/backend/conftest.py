"""These tests look inside the torch backend, so Keras must be imported on it before they are collected."""

from sonde import backend

backend.use("torch").start(threads=1)
