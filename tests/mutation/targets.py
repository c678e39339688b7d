"""What is mutated, and the tests that ought to notice."""

MODULES = (
    "functions/authorizer/app.py",
    "instant/adapters/limiter.py",
    "instant/adapters/secret_box.py",
    "instant/adapters/token_verifier.py",
    "instant/domain/api_key.py",
    "instant/domain/identity.py",
    "instant/domain/limits.py",
    "instant/domain/secret.py",
    "instant/domain/token.py",
    "instant/entrypoints/gates.py",
    "instant/use_cases/authorize.py",
    "instant/use_cases/limit_calls.py",
)
"""Paths as they are imported."""

TESTS = (
    "tests/unit/domain/test_api_key.py",
    "tests/unit/domain/test_identity.py",
    "tests/unit/domain/test_secret.py",
    "tests/unit/domain/test_token.py",
    "tests/unit/entrypoints/test_gates.py",
    "tests/unit/use_cases/test_authorize.py",
    "tests/unit/use_cases/test_limit_calls.py",
    "tests/integration/adapters/test_key_use.py",
    "tests/integration/adapters/test_limiter.py",
    "tests/integration/adapters/test_secret_box.py",
    "tests/integration/adapters/test_token_verifier.py",
    "tests/integration/test_access_tokens.py",
    "tests/integration/test_authorizer.py",
    "tests/integration/test_in_flight.py",
    "tests/integration/test_rates.py",
)
