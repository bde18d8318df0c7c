"""JobExecutionResult: what is known of a job that has ended well."""

from __future__ import annotations

from typing import Any, Dict

from clutch.common.job_id import JobID

__all__ = ["JobExecutionResult"]


class JobExecutionResult:
    """The job and how long it took."""

    def __init__(self, job_id: JobID, net_runtime: int) -> None:
        self._job_id = job_id
        self._net_runtime = net_runtime

    def get_job_id(self) -> JobID:
        return self._job_id

    def get_net_runtime(self) -> int:
        """The milliseconds from the start of the job to its end."""
        return self._net_runtime

    def is_job_execution_result(self) -> bool:
        return True

    def get_job_execution_result(self) -> JobExecutionResult:
        return self

    def get_accumulator_result(self, accumulator_name: str) -> Any:
        """None: Python functions have metrics, and no accumulators."""
        return self.get_all_accumulator_results().get(accumulator_name)

    def get_all_accumulator_results(self) -> Dict[str, Any]:
        return {}

    def __str__(self) -> str:
        return "Program execution finished\nJob with JobID %s has finished.\nJob Runtime: %d ms" % (
            self._job_id,
            self._net_runtime,
        )
