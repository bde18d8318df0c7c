"""Plans of jobs in each of their forms, and where they go when they are shown in the place of a run."""

from __future__ import annotations

import itertools
import json
import os
import sys
from typing import Any, Dict, List, Optional

from clutch.datastream._orders import PlanOrder
from clutch.datastream._plan_picture import plan_html, plan_svg

_files = itertools.count(1)  # a script may have several jobs, and each its file


def plan_as(job: Any, form: str) -> str:
    """The plan of a clutch._host.Job."""
    if form == "text":
        return str(job.plan("text"))
    text = str(job.plan("json"))
    if form == "json":
        return text if text.endswith("\n") else text + "\n"
    plan: Dict[str, Any] = json.loads(text)
    return plan_svg(plan) if form == "svg" else plan_html(plan)


def show(job: Any, order: PlanOrder) -> None:
    """Write the plan to where it is wanted."""
    text = plan_as(job, order.form)
    if not order.output:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    number = next(_files)
    root, extension = os.path.splitext(order.output)
    path = order.output if number == 1 else "%s-%d%s" % (root, number, extension)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    sys.stderr.write("clutch: the plan is in %s\n" % path)


class PlannedJob:
    """What a script gets of a job that is only planned: one that has ended well, without elements."""

    def wait(self, _timeout_s: Optional[float]) -> bool:
        return True

    def cancel(self) -> None:
        """There is nothing to cancel."""

    def collected(self, _timeout_s: Optional[float]) -> None:
        return None

    def metrics(self) -> List[Dict[str, Any]]:
        return []
