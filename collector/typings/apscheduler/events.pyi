# The part of APScheduler 3.11 that ipsecmon uses; the package itself is published without types.
EVENT_JOB_ERROR: int
EVENT_JOB_MISSED: int
EVENT_JOB_MAX_INSTANCES: int

class SchedulerEvent:
    code: int

class JobEvent(SchedulerEvent):
    job_id: str

class JobExecutionEvent(JobEvent):
    exception: BaseException | None
