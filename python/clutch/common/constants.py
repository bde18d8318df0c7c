"""The least and greatest numbers of fixed width. MIN_LONG_VALUE as a timestamp means that there is none."""

__all__ = ["MAX_LONG_VALUE", "MIN_LONG_VALUE"]

MAX_LONG_VALUE = 0x7FFFFFFFFFFFFFFF
MIN_LONG_VALUE = -MAX_LONG_VALUE - 1
