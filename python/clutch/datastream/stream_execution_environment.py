"""StreamExecutionEnvironment: where programs begin. It makes sources, keeps settings, and runs jobs."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Union

from clutch.common.configuration import Configuration
from clutch.common.execution_config import ExecutionConfig
from clutch.common.job_client import JobClient
from clutch.common.job_execution_result import JobExecutionResult
from clutch.common.restart_strategy import RestartStrategies, RestartStrategyConfiguration
from clutch.common.typeinfo import TypeInformation, Types, type_or_row
from clutch.common.watermark_strategy import WatermarkStrategy
from clutch.datastream._basic_functions import ParallelSourceFunction, SourceFunction, SourceFunctionWrapper
from clutch.datastream._cache import Cache
from clutch.datastream._code import Code, check_function, check_instance, name_of
from clutch.datastream._data_stream import DataStream, OutputType
from clutch.datastream._description import Collection, Description, Settings, describe
from clutch.datastream._graph import Input, Node, Origin
from clutch.datastream._notices import Notices
from clutch.datastream._orders import OrderedConfiguration, check_form, ordered_options
from clutch.datastream._sinks import check_text
from clutch.datastream._watermarks import watermark_members
from clutch.datastream.checkpoint_config import CheckpointConfig
from clutch.datastream.checkpointing_mode import CheckpointingMode
from clutch.datastream.execution_mode import RuntimeExecutionMode
from clutch.datastream.slot_sharing_group import SlotSharingGroup
from clutch.datastream.time_characteristic import TimeCharacteristic

__all__ = ["StreamExecutionEnvironment"]

_MODES = ("streaming", "batch", "automatic")
_NOT_KEPT = "a job's state is in memory and ends with the job"


class StreamExecutionEnvironment:
    """Makes streams of sources, and runs the jobs that programs describe with them."""

    def __init__(self, configuration: Optional[Configuration] = None) -> None:
        self._ordered = ordered_options()
        self._configuration = (
            OrderedConfiguration(configuration, self._ordered) if self._ordered else Configuration(configuration)
        )
        self._config = ExecutionConfig(self._configuration)
        self._notices = Notices()
        self._checkpoints = CheckpointConfig(self._notices)
        self._restart_strategy = RestartStrategies.fall_back_restart()
        self._time_characteristic = TimeCharacteristic.EventTime
        self._kept: Dict[str, Any] = {}
        self._last_id = 0
        self._operators: List[Node] = []  # of the job that is being described
        self._cache = Cache()

    @staticmethod
    def get_execution_environment(configuration: Optional[Configuration] = None) -> StreamExecutionEnvironment:
        """A new environment, with these settings."""
        if configuration is not None:
            check_instance(configuration, "get_execution_environment", Configuration)
        return StreamExecutionEnvironment(configuration)

    # Nodes, for streams

    def _node(self, node_type: str, name: str, members: Dict[str, Any], inputs: List[Input]) -> Node:
        self._last_id += 1
        return Node(self._last_id, node_type, name, members, inputs, self.get_parallelism())

    def _operator(self, node_type: str, name: str, members: Dict[str, Any], inputs: List[Input]) -> Node:
        """A node that the next job has, whether something reads it or not."""
        node = self._node(node_type, name, members, inputs)
        self._operators.append(node)
        return node

    def _stream(self, node: Node, type_info: TypeInformation) -> DataStream:
        return DataStream(self, [Origin(node)], type_info)

    def _source(
        self, name: str, members: Dict[str, Any], type_info: TypeInformation, parallel: bool, bounded: bool
    ) -> DataStream:
        node = self._node("source", name, {**members, "output": type_info}, [])
        node.bounded = bounded
        node.only_one = not parallel
        return self._stream(node, type_info)

    # Settings

    def get_config(self) -> ExecutionConfig:
        return self._config

    def set_parallelism(self, parallelism: int) -> StreamExecutionEnvironment:
        """Set how many instances the operators have that follow."""
        self._config.set_parallelism(parallelism)
        return self

    def get_parallelism(self) -> int:
        """1 unless it was set: one process has one Python for all instances in thread mode."""
        return self._config.get_parallelism()

    def set_max_parallelism(self, max_parallelism: int) -> StreamExecutionEnvironment:
        """Set the number of key groups."""
        self._config.set_max_parallelism(max_parallelism)
        return self

    def get_max_parallelism(self) -> int:
        return self._config.get_max_parallelism()

    def set_runtime_mode(self, execution_mode: RuntimeExecutionMode) -> StreamExecutionEnvironment:
        """Set whether results come as they change, or once for bounded input."""
        check_instance(execution_mode, "set_runtime_mode", RuntimeExecutionMode)
        self._configuration.set_string("execution.runtime-mode", execution_mode.name)
        return self

    def set_buffer_timeout(self, timeout_millis: int) -> StreamExecutionEnvironment:
        """Set how long an element waits at most in a batch; -1 for the default."""
        if not isinstance(timeout_millis, int) or isinstance(timeout_millis, bool) or timeout_millis < -1:
            raise ValueError("the buffer timeout must be an int of at least -1 ms, got %r" % (timeout_millis,))
        if timeout_millis == -1:
            self._configuration.remove_config("execution.buffer-timeout")
        else:
            self._configuration.set_string("execution.buffer-timeout", "%d ms" % timeout_millis)
        return self

    def get_buffer_timeout(self) -> int:
        return int(self._configuration.get_string("execution.buffer-timeout", "100 ms").split()[0])

    def disable_operator_chaining(self) -> StreamExecutionEnvironment:
        self._configuration.set_boolean("pipeline.operator-chaining.enabled", False)
        return self

    def is_chaining_enabled(self) -> bool:
        return self._configuration.get_boolean("pipeline.operator-chaining.enabled", True)

    def is_chaining_of_operators_with_different_max_parallelism_enabled(self) -> bool:
        """All operators of a job have one max parallelism, so nothing is kept apart by it."""
        return True

    def is_unaligned_checkpoints_enabled(self) -> bool:
        return self._checkpoints.is_unaligned_checkpoints_enabled()

    def is_force_unaligned_checkpoints(self) -> bool:
        return self._checkpoints.is_force_unaligned_checkpoints()

    def configure(self, configuration: Configuration) -> None:
        """Take over all settings of a configuration."""
        self._configuration.add_all(check_instance(configuration, "configure", Configuration))

    def enable_checkpointing(
        self, interval: int, mode: CheckpointingMode = CheckpointingMode.EXACTLY_ONCE
    ) -> StreamExecutionEnvironment:
        """Accepted and kept; a notice says that jobs make no checkpoints."""
        self._checkpoints.set_checkpoint_interval(interval).set_checkpointing_mode(mode)
        return self

    def get_checkpoint_config(self) -> CheckpointConfig:
        return self._checkpoints

    def get_checkpoint_interval(self) -> int:
        return self._checkpoints.get_checkpoint_interval()

    def get_checkpointing_mode(self) -> CheckpointingMode:
        return self._checkpoints.get_checkpointing_mode()

    get_checkpointing_consistency_mode = get_checkpointing_mode

    def set_restart_strategy(
        self, restart_strategy_configuration: RestartStrategyConfiguration
    ) -> StreamExecutionEnvironment:
        """Accepted and kept; a notice says that a job which fails ends."""
        self._restart_strategy = check_instance(
            restart_strategy_configuration, "set_restart_strategy", RestartStrategyConfiguration
        )
        self._notices.tell("set_restart_strategy", "a job that fails ends with its error; run it again")
        return self

    def get_restart_strategy(self) -> RestartStrategyConfiguration:
        return self._restart_strategy

    def _keep(self, setting: str, value: Any, reason: str) -> StreamExecutionEnvironment:
        self._kept[setting] = value
        self._notices.tell(setting, reason)
        return self

    def set_state_backend(self, state_backend: Any) -> StreamExecutionEnvironment:
        """Accepted and kept; a notice says where state is."""
        return self._keep("set_state_backend", state_backend, _NOT_KEPT)

    def get_state_backend(self) -> Any:
        return self._kept.get("set_state_backend")

    def enable_changelog_state_backend(self, enabled: bool) -> StreamExecutionEnvironment:
        return self._keep("enable_changelog_state_backend", enabled, _NOT_KEPT)

    def is_changelog_state_backend_enabled(self) -> Any:
        return self._kept.get("enable_changelog_state_backend")

    def set_default_savepoint_directory(self, directory: str) -> StreamExecutionEnvironment:
        return self._keep("set_default_savepoint_directory", directory, "jobs have no savepoints")

    def get_default_savepoint_directory(self) -> Optional[str]:
        return self._kept.get("set_default_savepoint_directory")

    def set_default_local_parallelism(self, parallelism: int) -> None:
        self.set_parallelism(parallelism)

    def get_default_local_parallelism(self) -> int:
        return self.get_parallelism()

    def register_slot_sharing_group(self, slot_sharing_group: SlotSharingGroup) -> StreamExecutionEnvironment:
        """Accepted: all of a job runs in one process, so there are no slots to share."""
        check_instance(slot_sharing_group, "register_slot_sharing_group", SlotSharingGroup)
        return self

    def set_stream_time_characteristic(self, characteristic: TimeCharacteristic) -> None:
        """With IngestionTime or EventTime watermarks are sent every 200 ms, with ProcessingTime never."""
        self._time_characteristic = check_instance(characteristic, "set_stream_time_characteristic", TimeCharacteristic)
        self._config.set_auto_watermark_interval(0 if characteristic is TimeCharacteristic.ProcessingTime else 200)

    def get_stream_time_characteristic(self) -> TimeCharacteristic:
        return self._time_characteristic

    # What functions need

    def _append(self, key: str, value: str, separator: str = ",") -> None:
        before = self._configuration.get_string(key, "")
        self._configuration.set_string(key, before + separator + value if before else value)

    def add_python_file(self, file_path: str) -> None:
        """Put a file or folder on sys.path of functions."""
        self._append("python.files", check_text("the file_path of add_python_file", file_path))

    def set_python_requirements(
        self, requirements_file_path: str, requirements_cache_dir: Optional[str] = None
    ) -> None:
        """Accepted; libclutch tells that it installs nothing."""
        text = check_text("the requirements_file_path", requirements_file_path)
        if requirements_cache_dir is not None:
            text += "#" + check_text("the requirements_cache_dir", requirements_cache_dir)
        self._configuration.set_string("python.requirements", text)

    def add_python_archive(self, archive_path: str, target_dir: Optional[str] = None) -> None:
        """Accepted; libclutch tells that it unpacks nothing."""
        text = check_text("the archive_path of add_python_archive", archive_path)
        if target_dir is not None:
            text += "#" + check_text("the target_dir of add_python_archive", target_dir)
        self._append("python.archives", text)

    def set_python_executable(self, python_exec: str) -> None:
        """Set the interpreter that runs functions."""
        self._configuration.set_string("python.executable", check_text("the python_exec", python_exec))

    def add_jars(self, *jars_path: str) -> None:
        self._notices.tell("add_jars", "no Java runs here")

    def add_classpaths(self, *classpaths: str) -> None:
        self._notices.tell("add_classpaths", "no Java runs here")

    def register_cached_file(self, file_path: str, name: str, executable: bool = False) -> None:
        self._notices.tell("register_cached_file", "functions run on this machine and can open the file itself")

    # Sources

    def from_collection(self, collection: List[Any], type_info: OutputType = None) -> DataStream:
        """The elements of a list; without a type they are pickled."""
        if isinstance(collection, (str, bytes, dict)) or not hasattr(collection, "__iter__"):
            raise TypeError("from_collection takes a list, got %r of type %s" % (collection, type(collection).__name__))
        of = type_or_row("the type_info of from_collection", type_info)
        members = {"collection": Collection(list(collection), of)}
        return self._source("Source: Collection Source", members, of, False, True)

    def from_source(
        self,
        source: Any,
        watermark_strategy: WatermarkStrategy,
        source_name: str,
        type_info: OutputType = None,
    ) -> DataStream:
        """The elements of a source of clutch.datastream.connectors."""
        from clutch.datastream.connectors.base import Source

        check_instance(source, "from_source", Source)
        check_text("the source_name of from_source", source_name)
        watermarks = watermark_members(watermark_strategy)
        of = source._type() if type_info is None else type_or_row("the type_info of from_source", type_info)
        stream: DataStream = source._attach(self, "Source: " + source_name, of)
        nodes = [origin.node for origin in stream._origins]
        if not watermarks:
            return stream
        if any(node.type != "source" for node in nodes):  # a function makes the elements
            return stream.assign_timestamps_and_watermarks(watermark_strategy)
        for node in nodes:
            node.members["watermarks"] = watermarks
        return stream

    def add_source(
        self,
        source_func: Union[Callable[[], Iterable[Any]], SourceFunction],
        source_name: str = "Custom Source",
        type_info: OutputType = None,
        bounded: bool = False,
    ) -> DataStream:
        """The elements of a SourceFunction, or of the iterable that a function returns.

        One instance runs, but of a ParallelSourceFunction. `bounded` says that it ends, as batch mode needs it.
        """
        from clutch.datastream._source_server import SourceServer

        name = name_of(check_function(source_func, SourceFunction, "add_source"))
        source = source_func if isinstance(source_func, SourceFunction) else SourceFunctionWrapper(source_func)
        _check_positions(source)
        if not isinstance(bounded, bool):
            raise TypeError("bounded of add_source must be a bool, got %r of type %s" % (bounded, type(bounded).__name__))
        of = type_or_row("the type_info of add_source", type_info)
        code = Code(SourceServer(source, "the source %s" % name), name)
        members = {"source": {"type": "python", "code": code, "bounded": bounded}}
        parallel = isinstance(source, ParallelSourceFunction)
        return self._source("Source: " + check_text("the source_name", source_name), members, of, parallel, bounded)

    def read_text_file(self, file_path: str, charset_name: str = "UTF-8") -> DataStream:
        """The lines of a file, or of the files of a folder."""
        source = {"type": "files", "path": check_text("the file_path", file_path), "format": "text"}
        source["charset"] = check_text("the charset_name", charset_name).lower()
        return self._source("Source: Text File Source", {"source": source}, Types.STRING(), True, True)

    def from_sequence(self, from_: int, to: int) -> DataStream:
        """The numbers from `from_` to `to`, both included."""
        from clutch.datastream.connectors.number_seq import NumberSequenceSource

        return NumberSequenceSource(from_, to)._attach(self, "Source: Sequence Source", Types.LONG())

    def generate_sequence(self, from_: int, to: int) -> DataStream:
        """As from_sequence."""
        return self.from_sequence(from_, to)

    # Jobs

    def _mode(self) -> str:
        mode = self._configuration.get_string("execution.runtime-mode", "STREAMING").lower()
        if mode not in _MODES:
            raise ValueError(
                "execution.runtime-mode must be one of %s, got %r" % (", ".join(_MODES).upper(), mode.upper())
            )
        return mode

    def _description(self, job_name: Optional[str], operators: List[Node]) -> Description:
        most = self.get_max_parallelism()
        parallelism = self.get_parallelism()
        name = self._ordered.get("pipeline.name") or job_name
        name = name or self._configuration.get_string("pipeline.name", "Flink Streaming Job")
        settings = Settings(
            name, self._mode(), parallelism, most if most > 0 else max(128, parallelism), self._configuration.to_dict()
        )
        return describe(settings, operators)

    def get_execution_plan(self) -> str:
        """The graph as JSON, in the form that PyFlink gives: nodes, and for each what it reads."""
        from clutch.datastream._execution_plan import execution_plan

        description = self._description(None, self._checked_operators())
        return execution_plan(description.document)

    def explain(self, form: str = "text") -> str:
        """The job as it would run, without running it: tasks, operators, for each Python function the plugin that takes
        it and why, and how tasks exchange rows; as "text", "json", "svg" or "html". PyFlink has no such method."""
        from clutch.datastream._jobs import explain

        return explain(self, self._checked_operators(), check_form(form, "the form of a plan"))

    def _checked_operators(self) -> List[Node]:
        if not self._operators:
            raise RuntimeError("No operators defined in streaming topology. Cannot execute.")
        return self._operators

    def execute(self, job_name: Optional[str] = None) -> JobExecutionResult:
        """Run the job and wait for its end. clutch.Error if it fails."""
        from clutch.datastream._jobs import run

        operators, self._operators = self._checked_operators(), []
        return run(self, job_name, operators)

    def execute_async(self, job_name: Optional[str] = None) -> JobClient:
        """Start the job."""
        from clutch.datastream._jobs import start

        operators, self._operators = self._checked_operators(), []
        return start(self, job_name, operators)[1]

    def close(self) -> None:
        """Accepted: an environment holds nothing but descriptions."""


def _check_positions(source: SourceFunction) -> None:
    """TypeError where a source has positions and cannot go back to them, or the other way round."""
    has = [name for name in ("snapshot", "restore") if hasattr(source, name)]
    if len(has) == 1:
        raise TypeError(
            "%s defines %s() alone; a source with positions has snapshot() and restore(position)"
            % (type(source).__name__, has[0])
        )
