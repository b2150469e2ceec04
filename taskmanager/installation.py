"""An installation's parts: made here, and handed to each other; nobody else does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from taskmanager import config
from taskmanager.config import Settings
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.records import Pause
from taskmanager.domain.retry import RetryPolicy
from taskmanager.engine import discovery
from taskmanager.engine.active_alerts import ActiveAlerts
from taskmanager.engine.alert_rules import AlertRules
from taskmanager.engine.alerts import Alerts
from taskmanager.engine.audit import Actor, Audit
from taskmanager.engine.client import Client
from taskmanager.engine.conditions import Conditions
from taskmanager.engine.continuations import Continuations
from taskmanager.engine.definitions import Definition
from taskmanager.engine.filters import Chain, Filter, Lost
from taskmanager.engine.history import LoggedJobs
from taskmanager.engine.injection import Providers
from taskmanager.engine.legacy import LegacyJobs
from taskmanager.engine.legacy_edits import RowEdits
from taskmanager.engine.legacy_served import ServedJobs, ServedOutcome
from taskmanager.engine.missed_runs import MissedRuns
from taskmanager.engine.notifications import Notifications
from taskmanager.engine.operations import Operations
from taskmanager.engine.performer import Limits, Performer
from taskmanager.engine.placing import Placing
from taskmanager.engine.recurring import RecurringJobs
from taskmanager.engine.recurring_runs import RecurringRuns
from taskmanager.engine.registry import JobDefinition, JobType, Registry, define
from taskmanager.engine.retries import AutomaticRetry
from taskmanager.engine.retry_verbs import RetryVerbs
from taskmanager.engine.searches import SavedSearches
from taskmanager.engine.statistics import StatisticsHistory
from taskmanager.engine.transitions import Transitions
from taskmanager.engine.undoing import Undoing
from taskmanager.server.company import Company
from taskmanager.server.process import Process
from taskmanager.server.ringer import Ringer
from taskmanager.server.schedulers import LegacyScheduler
from taskmanager.server.server import Server
from taskmanager.server.watching import ConditionJudge
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx
from taskmanager.tasks import bulk, notify
from taskmanager.tasks.notify import Notifier
from taskmanager.tasks.procedures import ProcedureRuns, Procedures, run_procedure
from taskmanager.tasks.stand_in import StandIn
from taskmanager.tasks.targcc import refuse

log = logging.getLogger("taskmanager")


class Installation:
    """A database, the jobs that are known, and all that works on them.

    settings: as loaded, else from files and environment; further keywords are settings by name.
    Raises ConfigurationError.
    """

    def __init__(self, settings: Settings | None = None, *, database: Database | None = None, **arguments: Any) -> None:
        self.settings = settings.with_changes(**arguments) if settings else config.load(arguments)
        s = self.settings
        self.database = database or Database(s.database_url, prefix=s.prefix)
        self.database.protect_children()
        self.registry = Registry(s.discover, retries=s.default_retries, plain_retries=s.plain_function_retries)
        self.providers = Providers()
        self.registry.is_injected = self.providers.is_injected
        self.filters = Chain([AutomaticRetry(), StatisticsHistory(), Continuations(), RecurringRuns()])
        if s.log_to_database:
            self.filters.add(LoggedJobs(self.registry, self._is_told))
        failed = s.failed_expiration_seconds
        self.transitions = Transitions(
            self.filters,
            job_expiration=timedelta(seconds=s.job_expiration_seconds),
            failed_expiration=None if failed is None else timedelta(seconds=failed),
        )
        self.client = Client(
            self.database, self.transitions, self.filters, max_payload_bytes=s.max_payload_bytes, registry=self.registry
        )
        self.retries = RetryVerbs(self.client)
        self.placing = Placing(self.client, self.registry)
        self.undoing = Undoing(self.client)
        self.recurring_jobs = RecurringJobs(self.client)
        self.alert_rules = AlertRules(self.database)
        self.searches = SavedSearches(self.database)
        self.active_alerts = ActiveAlerts(self.database)
        self.conditions = Conditions(self.client, s.dead_after_seconds)
        self.stand_in: StandIn | None = None
        self.audit = Audit(self.database, s.web_redact)
        self.recurring_jobs.resumed = self._tell_resumed
        self.notifications = Notifications(self.database, s.notification_retention_seconds)
        self.own_filters: list[Filter] = []
        self.extra_processes: list[Callable[[Company], Process]] = []
        self.procedures = Procedures(self.database)
        self.notifier = Notifier(s, self.database, self.registry)
        self.providers.add_value(Database, self.database)
        self.providers.add_value(Procedures, self.procedures)
        self._serve_operations()
        self.procedure_runs: ProcedureRuns | None = None
        self.legacy_jobs: LegacyJobs | None = None
        self.row_edits: RowEdits | None = None
        if s.legacy:
            self._serve_legacy()
        alerts = self._serve_alerts() if s.alerts_enabled else None
        missed = MissedRuns(self.registry, alerts, s.alert_missed_seconds)
        self.recurring_jobs.fired = missed.fired
        if isinstance(self.legacy_jobs, ServedJobs):
            self.legacy_jobs.schedule.fired = missed.rows
        self.ringer = Ringer(self.database, doorbell=s.doorbell)
        self.database.ring = self.ringer.ring
        self.discovered = discovery.Discovered()
        #: Recurring jobs that code has defined by a call, by id.
        self.defined_by_calls: dict[str, Definition] = {}

    def register(self, definition: JobDefinition) -> JobDefinition:
        """Take a job in. Raises DuplicateJob."""
        return self.registry.add(definition)

    def provide(self, kind: type, factory: Callable[..., Any]) -> None:
        """What jobs get that ask for this type: made by `factory` for each run, torn down after it."""
        self.providers.add(kind, factory)

    def procedure(self, name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """Let a Python function stand in for the stored procedure `name` where the database has none (SQLite)."""

        def take(function: Callable[[], Any]) -> Callable[[], Any]:
            self.procedures.functions[name] = function
            return function

        return take

    def discover(self) -> discovery.Discovered:
        """Import the packages of setting `discover` and register the jobs in them; broken modules are reported."""
        self.discovered = discovery.discover(self.settings.discover, self.registry)
        for kind, factory in self.discovered.providers:
            self.providers.add(kind, factory)
        for owner in self.discovered.owners:
            self._adopt(owner)
        for module, error in self.discovered.errors.items():
            log.error("discovery: module %s cannot be imported: %s", module, error)
        log.info("discovery: %d jobs in %d modules", len(self.registry), len(self.discovered.modules))
        return self.discovered

    def _adopt(self, other: Installation) -> None:
        """What a TaskManager of the user's own modules was told counts for the worker that discovers them."""
        if other is self:
            return
        self.providers.adopt(other.providers)
        self.procedures.functions.update(other.procedures.functions)
        self.defined_by_calls.update(other.defined_by_calls)
        for one in other.own_filters:
            if one not in self.own_filters:
                self.add_filter(one)

    def add_filter(self, one: Filter) -> None:
        """Put a filter around the life of all jobs. Raises InvalidArgument for what is none."""
        if not isinstance(one, Filter):
            raise InvalidArgument(f"a filter is an instance of a class derived from taskmanager.Filter, not {one!r}")
        self.own_filters.append(one)
        self.filters.add(one)

    def performer(self, server_id: str = "") -> Performer:
        """A performer that signs with a server's id."""
        s = self.settings
        limits = Limits(s.max_result_bytes, s.max_exception_bytes, s.max_log_lines, s.max_log_bytes)
        return Performer(
            self.registry, self.filters, self.providers, self.database.clock.now, server=server_id, limits=limits,
            write=self.notifications.write,
        )  # fmt: skip

    def server(self) -> Server:
        """A worker that is not started yet; `start()` and `stop()` it."""
        server = Server(self)
        self.ringer.add(server.guid, server.pulse.ring)
        return server

    def close(self) -> None:
        """Close what was opened."""
        self.ringer.close()
        self.database.dispose()

    def _serve_legacy(self) -> None:
        definition = define(
            run_procedure, is_injected=self.providers.is_injected, retry=RetryPolicy(attempts=0),
            display_name="Stored procedure", job_type=JobType.RECURRING, timeout=self.settings.legacy_timeout_seconds,
        )  # fmt: skip
        self.registry.add(definition)
        self.procedure_runs = ProcedureRuns(self.filters, self.procedures)
        self.filters.add(self.procedure_runs)
        self.procedures.rerun_lost = self.settings.legacy_rerun_lost
        self.procedures.max_bytes = self.settings.max_result_bytes
        self.registry.add(define(refuse, retry=RetryPolicy(attempts=0), job_type=JobType.RECURRING))
        legacy = ServedJobs(
            self.client, self.registry, host=self.settings.server_name, runners=self.settings.legacy_runner,
            time_zone=self.settings.legacy_time_zone,
        )  # fmt: skip
        self.filters.add(ServedOutcome(legacy, self._is_told))
        self.row_edits = RowEdits(legacy)
        self.legacy_jobs = self.recurring_jobs.legacy = legacy
        if self.settings.scheduler:
            self.extra_processes.append(lambda company: LegacyScheduler(legacy, lambda: company.stretch_of_rows))

    def _is_told(self, lost: Lost) -> bool:
        """Whether a run whose process died is told of otherwise."""
        return self.procedure_runs is not None and self.procedure_runs.is_told(lost)

    def _tell_resumed(self, tx: Tx, recurring_id: str, pause: Pause) -> None:
        """What a pause's end does is done in the name of who set it."""
        actor, note = Actor(pause.by or "-", "scheduler"), f"its pause was until {pause.until:%Y-%m-%d %H:%M:%S} (UTC)"
        self.audit.note(tx, actor, "recurring.resume", "recurring", recurring_id, after={"paused": False}, note=note)

    def _serve_operations(self) -> None:
        known = self.providers.is_injected
        definition = self.registry.add(bulk.definition(lambda kind: kind is Operations or known(kind)))
        self.operations = Operations(
            self.client, self.audit, self.registry, self.recurring_jobs, definition, self.settings.queues[0]
        )
        self.providers.add_value(Operations, self.operations)

    def _serve_alerts(self) -> Alerts:
        self.providers.add_value(Notifier, self.notifier)
        mailer = self.registry.add(notify.definition(self.providers.is_injected))
        s = self.settings
        self.alerts = Alerts(
            self.client, self.registry, mailer,
            has_mail=s.smtp_host is not None, has_recipients=bool(s.alert_recipients),
        )  # fmt: skip
        self.filters.add(self.alerts)
        self.conditions.mailer = mailer
        self.notifier.later = self.alerts.later
        self.stand_in = StandIn(self.client, self.notifier, s.dead_after_seconds)
        self.extra_processes.append(lambda company: ConditionJudge(self.conditions))
        if isinstance(self.legacy_jobs, ServedJobs):
            self.legacy_jobs.schedule.mailed = self.legacy_jobs.targcc.mails.mailed = self.alerts.mailed
            self.legacy_jobs.targcc.mails.tell = self.alerts.of_row
            self.alerts.rows_tell = True
        return self.alerts
