"""Slack: a webhook that takes one text, with mentions taken out."""

import json

from opsctl.notify.channels.webhook import Webhook
from opsctl.notify.message_formats import format_text
from opsctl.notify.model import Bundle
from opsctl.systems.http.allowed_addresses import AllowedAddresses
from opsctl.systems.http.client import Http


def slack(url: str, http: Http, allowed: AllowedAddresses) -> Webhook:
    return Webhook("slack", url, http, allowed, format_slack)


def format_slack(bundle: Bundle) -> bytes:
    return json.dumps({"text": _escape_slack(format_text(bundle))}).encode()


def _escape_slack(text: str) -> str:
    # Slack reads <...> as links and mentions: a name from outside must not page everybody.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
