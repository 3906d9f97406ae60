"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "lightning", "tensorflow", "keras", "numpy", "pillow")


def facts(threads: int) -> dict[str, str]:
    """Name the processor, its cores, the threads in use, and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    description = _cpuinfo()
    return {
        "processor": _processor(description),
        "cores": str(cores),
        "bfloat16": "by AMX" if "amx_bf16" in description.split() else "without AMX",
        "threads": str(threads),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }


def _cpuinfo() -> str:
    """What Linux says of the processor; elsewhere nothing."""
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _processor(description: str) -> str:
    lines = description.splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
