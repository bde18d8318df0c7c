"""Formats of files: CSV."""
