"""These tests build models on torch: Keras must be imported on it before they are collected."""

from sonde import backend

backend.use("torch").start(threads=1)
