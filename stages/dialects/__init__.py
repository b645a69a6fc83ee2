"""Wire protocols: pure codecs, no I/O and no clock. A dialect is a folder (or a file) and a row in `stages.TABLE`."""
