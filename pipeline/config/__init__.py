"""A config file, read, checked and expanded into a located document; every problem reported at once."""

from pipeline.config.bundled import configs_dir, resolve
from pipeline.config.document import Document, GatewayEntry, ResourceEntry, StageEntry
from pipeline.config.load import load_document, read_document
from pipeline.config.problems import ConfigError, Problem, nearest
from pipeline.config.tree import Mark, Node, SecretText, dotted, find, plain
from pipeline.config.validate import validate

__all__ = [
    "ConfigError",
    "Document",
    "GatewayEntry",
    "Mark",
    "Node",
    "Problem",
    "ResourceEntry",
    "SecretText",
    "StageEntry",
    "configs_dir",
    "dotted",
    "find",
    "load_document",
    "nearest",
    "plain",
    "read_document",
    "resolve",
    "validate",
]
