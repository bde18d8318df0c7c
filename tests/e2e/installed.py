"""Clutch installed into a temporary folder, as a package would be, and the environment of who uses it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path


class Installed:
    """`meson install` of a build that is up to date, under a DESTDIR that lasts as long as this object."""

    def __init__(self, build: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        done = subprocess.run(
            ["meson", "install", "-C", str(build), "--no-rebuild", "--quiet", "--destdir", str(self.root)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"meson install failed:\n{done.stdout}{done.stderr}")
        self.packages = next(self.root.rglob("clutch.pc")).parent
        self.libraries = next(self.root.rglob("libclutch.so")).parent
        self.command = next(self.root.rglob("bin/clutch"))
        self.python_packages = next(self.root.rglob("_host.abi3.so")).parent.parent

    def environment(self, python: str) -> dict[str, str]:
        """Nothing of the build tree; a moved prefix needs to say where plugins and cases are."""
        plain = {key: value for key, value in os.environ.items() if not key.startswith("CLUTCH_")}
        plugins = self.root / subprocess.run(
            ["pkg-config", "--variable=plugindir", "clutch"],
            capture_output=True,
            text=True,
            check=True,
            env={**plain, "PKG_CONFIG_PATH": str(self.packages)},
        ).stdout.strip().lstrip("/")
        return {
            **plain,
            "PATH": f"{self.command.parent}:{plain['PATH']}",
            "PKG_CONFIG_PATH": str(self.packages),
            "PKG_CONFIG_SYSROOT_DIR": str(self.root),
            "LD_LIBRARY_PATH": str(self.libraries),
            "PYTHONPATH": str(self.python_packages),
            "CLUTCH_PLUGIN_PATH": str(plugins),
            "CONFORMANCE_CASES": str(next(self.root.rglob("conformance"))),
            "CLUTCH_PYTHON_EXECUTABLE": python,
            "DESTDIR": str(self.root),
        }

    def close(self) -> None:
        self._folder.cleanup()

    def flags(self, environment: dict[str, str]) -> list[str]:
        """What a compiler is told, by pkg-config alone."""
        done = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "clutch"], capture_output=True, text=True, check=True, env=environment
        )
        return done.stdout.split()
