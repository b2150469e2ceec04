"""A Python job beside the rows of c_Job: the same worker, database and history."""

from __future__ import annotations

from statistics import linear_regression

from sqlalchemy import text

from taskmanager import JobContext, current, job

_DAYS = text(
    "SELECT DATEDIFF(CURRENT_DATE, DATE(OrderedOn)) AS ago, SUM(Amount) FROM SalesOrder "
    "WHERE OrderedOn >= CURRENT_DATE - INTERVAL 28 DAY AND OrderedOn < CURRENT_DATE GROUP BY ago"
)
_WRITE = text("REPLACE INTO SalesForecast (ForecastDay, Amount) VALUES (CURRENT_DATE, :amount)")


@job("30 2 * * *", display_name="Sales Forecast", retries=2)
def sales_forecast(ctx: JobContext) -> str:
    """Draws a line through the sales of four weeks: what SQL does badly, and Python well."""
    with current().database.engine.begin() as connection:
        days = [(-int(ago), float(amount)) for ago, amount in connection.execute(_DAYS)]
        if len(days) < 2:
            return "too few days to tell"
        ctx.log.info("%d days with sales", len(days))
        line = linear_regression(*zip(*days, strict=True))
        expected = max(0.0, round(line.intercept, 2))
        connection.execute(_WRITE, {"amount": expected})
    return f"today: {expected:.2f}"
