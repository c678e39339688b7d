"""The throttle of each function."""

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.clock import SystemClock
from instant.domain.limits import HOUR, MINUTE, Rate
from instant.settings import (
    CountedSettings,
    ExecuteSettings,
    HttpSettings,
    IntegrationsSettings,
    KeyCheckSettings,
    PlatformIntegrationsSettings,
)
from instant.use_cases.access.throttle import (
    ConcurrencyThrottle,
    KeyCheckThrottle,
    RequestThrottle,
    Throttle,
    ThrottleByRoute,
)

KEY_CHECKS = (
    "POST /api/user/integrations/{service}",
    "POST /api/user/integrations/{service}/connect/complete",
    "POST /api/admin/integrations/{service}",
)
"""The routes that check a key with its service."""


def throttle_of(settings: HttpSettings) -> Throttle | None:
    """The throttle of the function with these settings; None if API Gateway alone throttles its routes."""
    if not isinstance(settings, CountedSettings | ExecuteSettings | KeyCheckSettings):
        return None
    limiter = DynamoRateLimiter(settings.limits_table, SystemClock())
    match settings:
        case ExecuteSettings():
            return ConcurrencyThrottle(limiter, Rate(settings.execute_per_minute, MINUTE), settings.max_in_flight)
        case IntegrationsSettings() | PlatformIntegrationsSettings():
            return ThrottleByRoute(
                _ordinary(limiter, settings), dict.fromkeys(KEY_CHECKS, _key_checks(limiter, settings))
            )
        case KeyCheckSettings():
            return _key_checks(limiter, settings)
        case CountedSettings():
            return _ordinary(limiter, settings)


def _ordinary(limiter: DynamoRateLimiter, settings: CountedSettings) -> RequestThrottle:
    return RequestThrottle(limiter, Rate(settings.rate_per_minute, MINUTE))


def _key_checks(limiter: DynamoRateLimiter, settings: KeyCheckSettings) -> KeyCheckThrottle:
    return KeyCheckThrottle(limiter, Rate(settings.key_checks_per_hour, HOUR))
