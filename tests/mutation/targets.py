"""What is mutated, and the tests that ought to notice."""

MODULES = (
    "functions/authorizer/app.py",
    "instant/adapters/access/rate_limiter.py",
    "instant/adapters/access/secret_box.py",
    "instant/adapters/access/token_verifier.py",
    "instant/domain/access/api_key.py",
    "instant/domain/access/identity.py",
    "instant/domain/limits.py",
    "instant/domain/secret.py",
    "instant/domain/access/token.py",
    "instant/entrypoints/http/throttles.py",
    "instant/use_cases/access/authorize.py",
    "instant/use_cases/access/throttle.py",
)
"""Paths as they are imported."""

TESTS = (
    "tests/unit/domain/access/test_api_key.py",
    "tests/unit/domain/access/test_identity.py",
    "tests/unit/domain/test_secret.py",
    "tests/unit/domain/access/test_token.py",
    "tests/unit/entrypoints/http/test_throttles.py",
    "tests/unit/use_cases/access/test_authorize.py",
    "tests/unit/use_cases/access/test_throttle.py",
    "tests/integration/adapters/access/test_key_use.py",
    "tests/integration/adapters/access/test_rate_limiter.py",
    "tests/integration/adapters/access/test_secret_box.py",
    "tests/integration/adapters/access/test_token_verifier.py",
    "tests/integration/access/test_access_tokens.py",
    "tests/integration/access/test_authorizer.py",
    "tests/integration/executions/test_in_flight.py",
    "tests/integration/access/test_rates.py",
)
