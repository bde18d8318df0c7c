"""Jobs as they run: a description is given to the engine, with the objects of collections as Arrow data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from clutch.common.job_client import JobClient
from clutch.common.job_execution_result import JobExecutionResult
from clutch.datastream._description import Collection
from clutch.datastream._element_types import element_text
from clutch.datastream._graph import Node
from clutch.datastream._orders import ordered_plan, ordered_status
from clutch.datastream._plans import PlannedJob, plan_as, show
from clutch.datastream._status import status_of

if TYPE_CHECKING:
    from clutch.datastream.stream_execution_environment import StreamExecutionEnvironment


def _native() -> Any:
    try:
        import clutch._host as native
    except ImportError as error:
        raise ImportError(
            "jobs need the extension module clutch._host, which cannot be imported (%s); use the package that is "
            "installed with libclutch" % error,
            name="clutch._host",
        ) from error
    return native


def pack(native: Any, collection: Collection) -> bytes:
    """The elements as the engine's source `collection` reads them. ValueError for one that is not of the type."""
    schema = native.Schema("element: " + element_text(collection.type_info))
    return native.pack_elements(schema.from_list(0, collection.values))  # type: ignore[no-any-return]


# Keys that the engine obeys, beside those that are no host's by their names.
_OF_ENGINE = ("clutch.engine.", "python.operator-chaining.")


def _is_of_host(key: str) -> bool:
    return key.startswith(("python.", "clutch.")) and not key.startswith(_OF_ENGINE)


def _of_engine(configuration: Dict[str, str]) -> Dict[str, str]:
    """What the engine reads, and what functions are told."""
    return {key: value for key, value in configuration.items() if not _is_of_host(key)}


class Made(NamedTuple):
    """A clutch._host.Job that was not started, and what takes the elements of sinks that fill caches."""

    job: Any
    name: str
    keep: Dict[int, Callable[[List[Any]], None]]


def _make(env: StreamExecutionEnvironment, job_name: Optional[str], operators: List[Node]) -> Made:
    from clutch.host._environment import interpreter_options

    native = _native()
    prepared = env._cache.prepare(operators, env._node)
    description = env._description(job_name, prepared.operators)
    blobs = description.blobs + [pack(native, collection) for collection in description.collections]
    configuration = description.document["configuration"]
    for_host = [(key, value) for key, value in configuration.items() if _is_of_host(key)]
    mode = configuration.get("python.execution-mode", "process")
    for_host += interpreter_options(mode, lambda key: key not in configuration)
    document = {**description.document, "configuration": _of_engine(configuration)}
    return Made(native.Job(json.dumps(document), blobs, for_host, None), document["name"], prepared.keep)


def explain(env: StreamExecutionEnvironment, operators: List[Node], form: str) -> str:
    """The plan of a job of these operators."""
    return plan_as(_make(env, None, operators).job, form)


def start(env: StreamExecutionEnvironment, job_name: Optional[str], operators: List[Node]) -> Tuple[str, JobClient]:
    """Start a job of these operators, or show its plan if that is ordered; its name, too."""
    order = ordered_plan()
    made = _make(env, job_name, operators)
    if order is not None:
        show(made.job, order)
        return made.name, JobClient(PlannedJob(), {})
    made.job.start()
    return made.name, JobClient(made.job, made.keep)


def run(env: StreamExecutionEnvironment, job_name: Optional[str], operators: List[Node]) -> JobExecutionResult:
    """Start a job of these operators and wait for its end, with its status on a terminal."""
    ordered_status()  # a wrong one is told before anything runs
    name, client = start(env, job_name, operators)
    if ordered_plan() is not None:
        return client.get_job_execution_result().result()
    with status_of(name, lambda: client.get_metrics()["operators"]):
        return client.get_job_execution_result().result()
