from hypothesis import HealthCheck, settings

# Nothing here is about time, and a busy machine is no failure.
settings.register_profile(
    "kilroy", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kilroy")
