"""The throttle of each function, and the lease that a call holds."""

from collections.abc import Callable

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.clock import SystemClock
from instant.domain.clock import STREAM_LEASE_SECONDS
from instant.domain.limits import HOUR, MINUTE, Rate
from instant.settings import (
    CountedSettings,
    ExecuteSettings,
    HttpSettings,
    IntegrationsSettings,
    KeyCheckSettings,
    OpenaiSettings,
    PlatformIntegrationsSettings,
    StreamSettings,
)
from instant.use_cases.access.throttle import (
    ConcurrencyThrottle,
    KeyCheckThrottle,
    Lease,
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

MODEL_LISTS = ("GET /v1/models", "GET /v1/models/{model}", "GET /v1/models/{model}/{slug}")
"""The routes beside those that execute which execute nothing."""

LEASE = "lease"
"""The name under which an event has the lease that its throttle acquired."""


def throttle_of(settings: HttpSettings) -> Throttle | None:
    """The throttle of the function with these settings; None if API Gateway alone throttles its routes."""
    if not isinstance(settings, CountedSettings | ExecuteSettings | KeyCheckSettings):
        return None
    clock = SystemClock()
    limiter = DynamoRateLimiter(settings.limits_table, clock)
    match settings:
        case OpenaiSettings():
            return ThrottleByRoute(
                _executions(limiter, settings, clock), dict.fromkeys(MODEL_LISTS, _ordinary(limiter, settings))
            )
        case ExecuteSettings():
            return _executions(limiter, settings, clock)
        case IntegrationsSettings() | PlatformIntegrationsSettings():
            return ThrottleByRoute(
                _ordinary(limiter, settings), dict.fromkeys(KEY_CHECKS, _key_checks(limiter, settings))
            )
        case KeyCheckSettings():
            return _key_checks(limiter, settings)
        case CountedSettings():
            return _ordinary(limiter, settings)


def _executions(limiter: DynamoRateLimiter, settings: ExecuteSettings, clock: SystemClock) -> ConcurrencyThrottle:
    """A stream renews its lease, so that it frees its place soon after it was killed; other calls are short."""
    seconds = STREAM_LEASE_SECONDS if isinstance(settings, StreamSettings) else None
    return ConcurrencyThrottle(
        limiter, Rate(settings.execute_per_minute, MINUTE), settings.max_in_flight, clock, seconds
    )


def _ordinary(limiter: DynamoRateLimiter, settings: CountedSettings) -> RequestThrottle:
    return RequestThrottle(limiter, Rate(settings.rate_per_minute, MINUTE))


def _key_checks(limiter: DynamoRateLimiter, settings: KeyCheckSettings) -> KeyCheckThrottle:
    return KeyCheckThrottle(limiter, Rate(settings.key_checks_per_hour, HOUR))


def lease_renewal(app: APIGatewayRestResolver) -> Callable[[], None]:
    """The function to call about once a second while the response is sent: it renews the lease when that is due."""
    lease: Lease | None = app.current_event.get(LEASE)
    return lease.renew_when_due if lease else lambda: None
