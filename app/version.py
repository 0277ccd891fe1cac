"""The version of Gatecast that is installed, and of what it computes with."""

from importlib.metadata import version

VERSION = version("gatecast")
VERSIONS = {name: version(name) for name in ("gatecast", "torch", "numpy", "statsforecast", "pyarrow")}
