"""Kept-alive connections: one is reused only if the previous response left nothing behind on it."""

from typing import override

import httpcore
import httpx

from instant.adapters.http.deadline import Deadline, DeadlineBackend

KEEP_ALIVE_SECONDS = 5.0
"""How long an idle connection is kept open for reuse."""


def transport(deadline: Deadline) -> httpx.HTTPTransport:
    """httpx's transport with connections that enforce `deadline` and are dropped after surplus bytes."""
    tls = httpx.create_ssl_context(trust_env=False)
    made = httpx.HTTPTransport(verify=tls, trust_env=False)
    made._pool = _Pool(  # httpx has no public way to replace its connection pool
        ssl_context=tls,
        network_backend=DeadlineBackend(deadline),
        keepalive_expiry=KEEP_ALIVE_SECONDS,
        max_connections=100,
    )
    return made


class _Pool(httpcore.ConnectionPool):
    @override
    def create_connection(self, origin: httpcore.Origin) -> "_Connection":
        return _Connection(
            origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=self._keepalive_expiry,
            network_backend=self._network_backend,
        )


class _Connection(httpcore.HTTPConnection):
    @override
    def has_expired(self) -> bool:
        """Whether the pool must close the idle connection before the next request.

        The parser would read surplus bytes behind a response as the response to the next request, which can be
        another caller's. Bytes that are still in the socket count as expired in the superclass.
        """
        return self._has_surplus() or super().has_expired()

    def _has_surplus(self) -> bool:
        """The buffer is read before the state: while a response is being read, it is never idle afterwards."""
        connection = self._connection
        if not isinstance(connection, httpcore.HTTP11Connection):
            return False
        unread, _ = connection._h11_state.trailing_data
        return bool(unread) and connection.is_idle()
