"""TLS towards an upstream: always verified, one context per upstream because making one costs milliseconds."""

from __future__ import annotations

import ssl

from pipeline import SettingsError, TransportOptions


def client_context(options: TransportOptions) -> ssl.SSLContext:
    """The operating system's trust store, or `ca_file` alone; with our certificate if the upstream wants one."""
    import httpx2  # here, because the trust store and the module that knows where it is take eight megabytes

    try:
        if options.ca_file is not None:
            context = ssl.create_default_context(cafile=options.ca_file)
        else:
            context = httpx2.create_ssl_context(trust_env=False)
        if options.cert_file is not None:
            context.load_cert_chain(options.cert_file, options.key_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"cannot use the certificate files: {error}", field="ca_file") from None
    return context
