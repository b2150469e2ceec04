"""Fields of requests and answers."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from taskmanager.domain import times
from taskmanager.domain.quiet import Quiet
from taskmanager.domain.texts import storable

#: Of everything that people name.
LONGEST_NAME = 100


class Body(Schema):
    """Base of what is sent: unknown fields are refused."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE


class Text(fields.String):
    """A text that every database takes: without NUL and lone surrogates."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if storable(text) != text:
            raise ValidationError("holds a NUL or half a surrogate pair")
        return text


class Moment(fields.DateTime):
    """A moment: naive UTC inside, ISO 8601 with Z outside; one without a zone is UTC."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else f"{value.isoformat()}Z"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            return times.to_utc(datetime.fromisoformat(value))
        except (ValueError, TypeError, OverflowError):
            raise ValidationError("needs a moment such as 2026-11-01T08:00:00Z") from None


class Json(fields.Raw):
    """Any JSON value."""


class Payload(fields.Field[Any]):
    """A call's arguments: text that holds JSON, as seed systems send it, or the JSON itself."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"is no JSON text: {str(error)[:200]}") from None


def name(*, required: bool = True, longest: int = LONGEST_NAME, text: str = "", **more: Any) -> Text:
    """A text that is not empty."""
    return Text(
        required=required, validate=validate.Length(1, longest), metadata={"description": text} if text else {}, **more
    )


def limit(default: int = 20, most: int = 200) -> fields.Integer:
    """How many rows a page has."""
    told = {"description": "rows of a page"}
    return fields.Integer(load_default=default, validate=validate.Range(1, most), metadata=told)


def described(field: type[fields.Field[Any]], text: str, **more: Any) -> fields.Field[Any]:
    """A field with a description."""
    return field(metadata={"description": text}, **more)


class QuietHours(Body):
    """When messages are held back, each day; over midnight where it ends earlier than it begins."""

    begins = Text(required=True, metadata={"description": "a time of day such as 22:00"})
    ends = Text(required=True, metadata={"description": "a time of day such as 06:00"})
    zone = Text(load_default="UTC", metadata={"description": "such as Europe/Prague"})
    drops = fields.Boolean(load_default=False, metadata={"description": "no summary when they end"})


class Telling(Body):
    """Whom a rule of alerts tells, how often and when. Of the webhooks null keeps what is there, "" removes it."""

    emailRecipients = fields.List(Text(validate=validate.Length(1, 200)), load_default=list)
    slackWebhook = Text(load_default=None, allow_none=True, validate=validate.Length(max=500))
    teamsWebhook = Text(load_default=None, allow_none=True, validate=validate.Length(max=500))
    maxAlertsPerHour = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**31 - 1)
    )
    quietHours = fields.Nested(QuietHours, load_default=None, allow_none=True)


def quiet_fields(hours: Any) -> dict[str, str]:
    """Quiet hours as a form has them."""
    if hours is None:
        return {}
    drops = "1" if hours["drops"] else ""
    return {"quiet_from": hours["begins"], "quiet_to": hours["ends"], "quiet_zone": hours["zone"], "quiet_drops": drops}


def quiet_told(hours: Quiet | None) -> dict[str, Any] | None:
    """Quiet hours as they are sent."""
    if hours is None:
        return None
    return {
        "begins": f"{hours.start:%H:%M}", "ends": f"{hours.end:%H:%M}", "zone": hours.zone, "drops": hours.drops,
    }  # fmt: skip
