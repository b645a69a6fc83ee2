"""The fast lane: our own pooled HTTP/1.1 client on asyncio and httptools.

`reader` understands a response, `connection` does the I/O of one exchange after another, `pool` shares connections out,
`transport` puts them behind `pipeline.Transport`.
"""
