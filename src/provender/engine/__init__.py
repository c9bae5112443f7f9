"""The job engine, hidden behind three functions: `schedule` a job, `wake` it, `run` the worker.

A job is a named function without arguments that finds its own work, such as “send whatever is due”. It is run every
so many seconds, sooner when woken, and by one worker of the deployment at a time. What the jobs do is not known here:
`config` registers them. Which engine does the work (DBOS, in `queue`) is not known elsewhere.

A job must be safe to be run by two workers at once, and to be cut off at any point: a dead worker's run is run again.
Importing this starts nothing, and neither does `schedule`.
"""

from provender.engine.jobs import schedule, wake
from provender.engine.worker import Worker, run, start

__all__ = ["Worker", "run", "schedule", "start", "wake"]
