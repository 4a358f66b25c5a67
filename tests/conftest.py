"""What holds for every test: nothing depends on the clock, on chance or on what an earlier run kept."""

from hypothesis import HealthCheck, settings

# A busy machine is no finding: neither a slow example nor slow drawing fails a test.
settings.register_profile(
    "sonde", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sonde")
