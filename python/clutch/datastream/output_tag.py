"""OutputTag: the name of a side output."""

from __future__ import annotations

from typing import List, Optional, Union

from clutch.common.typeinfo import TypeInformation, type_or_row

__all__ = ["OutputTag"]


class OutputTag:
    """Names a side output and the type of its elements: ``yield tag, value`` sends there.

    Tags of equal name and type are the same side output.
    """

    def __init__(self, tag_id: str, type_info: Optional[Union[TypeInformation, List[TypeInformation]]] = None) -> None:
        """Without a type, elements are pickled; a list of types makes rows. ValueError for an empty name."""
        if not isinstance(tag_id, str) or not tag_id:
            raise ValueError("the tag_id of an OutputTag must be a str that is not empty, got %r" % (tag_id,))
        self.tag_id = tag_id
        self.type_info = type_or_row("the type of OutputTag %r" % tag_id, type_info)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OutputTag):
            return NotImplemented
        return self.tag_id == other.tag_id and self.type_info == other.type_info

    def __hash__(self) -> int:
        return hash((self.tag_id, self.type_info))

    def __repr__(self) -> str:
        return "OutputTag(%r, %s)" % (self.tag_id, self.type_info)
