"""foedus: will the alliance come, how soon, with what, and what happens in the streets."""

from importlib.metadata import version

__version__ = version("foedus")
