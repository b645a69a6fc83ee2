"""The laws of one dialect, whoever wrote it: what it reads and writes by itself, measured by its own conformance."""
