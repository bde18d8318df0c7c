"""DataStreamSink: the end of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from clutch.datastream._graph import Node
    from clutch.datastream.slot_sharing_group import SlotSharingGroup


class DataStreamSink:
    """A sink that a stream was given."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def name(self, name: str) -> DataStreamSink:
        self._node.name = check_text("the name of a sink", name)
        return self

    def uid(self, uid: str) -> DataStreamSink:
        """Set the id by which state is found again in another run."""
        self._node.uid = check_text("the uid of a sink", uid)
        return self

    def set_uid_hash(self, uid_hash: str) -> DataStreamSink:
        return self.uid(uid_hash)

    def set_parallelism(self, parallelism: int) -> DataStreamSink:
        self._node.set_parallelism(parallelism)
        return self

    def set_description(self, description: str) -> DataStreamSink:
        self._node.description = check_text("the description of a sink", description)
        return self

    def disable_chaining(self) -> DataStreamSink:
        self._node.chain = "never"
        return self

    def slot_sharing_group(self, slot_sharing_group: Union[str, SlotSharingGroup]) -> DataStreamSink:
        """Accepted: all of a job runs in one process, so there are no slots to share."""
        from clutch.datastream.slot_sharing_group import check_group

        check_group(slot_sharing_group)
        return self


def check_text(what: str, value: object) -> str:
    """TypeError unless it is a str."""
    if not isinstance(value, str):
        raise TypeError("%s must be a str, got %r of type %s" % (what, value, type(value).__name__))
    return value
