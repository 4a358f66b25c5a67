"""What holds for every test: nothing depends on the clock, on chance or on what an earlier run kept.

`make nightly` lets chance in, so that tests that draw their examples see others every night:

    pytest -m hypothesis --hypothesis-profile=nightly
"""

from hypothesis import HealthCheck, settings

# A busy machine is no finding: neither a slow example nor slow drawing fails a test.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# All that a profile leaves open would come from hypothesis' own, which is another one where CI is set.
settings.register_profile("sonde", PATIENT, max_examples=100, derandomize=True, database=None, print_blob=False)
# A test that takes fewer examples takes a share of `settings.default.max_examples`, and so ten times as many at night.
# What failed one night is kept in .hypothesis/ and is tried first the next; the blob repeats it elsewhere.
settings.register_profile("nightly", PATIENT, max_examples=1000, derandomize=False, print_blob=True)
settings.load_profile("sonde")
