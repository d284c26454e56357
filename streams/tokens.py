"""Tokens for the workers' client, as librdkafka gets them for all others."""

import asyncio
import json
import ssl
import urllib.parse
import urllib.request

from aiokafka.abc import AbstractTokenProvider

from streams.contract.kafka_settings import FaustBroker

_ASK_S = 10.0


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """Tokens by OAuth 2.0's client credentials grant (RFC 6749, 4.4), as librdkafka's `oidc` method gets them.

    The provider's certificate is checked against the system's authorities, or those that `https.ca.location` names: it
    is seldom of the broker's own authority.
    """

    def __init__(self, broker: FaustBroker) -> None:
        self._broker = broker

    async def token(self) -> str:
        """A fresh token, asked for at each connection. Raises OSError where the provider gives none."""
        return await asyncio.to_thread(self._ask)

    def _ask(self) -> str:
        form = {"grant_type": "client_credentials", "client_id": self._broker.username}
        form |= {"client_secret": self._broker.password} | ({"scope": self._broker.scope} if self._broker.scope else {})
        request = urllib.request.Request(self._broker.token_url, urllib.parse.urlencode(form).encode())
        trusted = ssl.create_default_context(cafile=self._broker.token_ca or None)
        with urllib.request.urlopen(request, timeout=_ASK_S, context=trusted) as answer:
            return str(json.load(answer)["access_token"])
