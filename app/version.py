"""The version of Gatecast that is installed."""

from importlib.metadata import version

VERSION = version("gatecast")
