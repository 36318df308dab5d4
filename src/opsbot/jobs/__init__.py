"""Jobs: what the clock starts, and what waits for a worker."""

from opsbot.jobs.following import Follower
from opsbot.jobs.kinds import SCHEDULES, handlers
from opsbot.jobs.queue import enqueue
from opsbot.jobs.worker import Worker

__all__ = ["SCHEDULES", "Follower", "Worker", "enqueue", "handlers"]
