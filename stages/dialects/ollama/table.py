"""What each field of this dialect means (protocol.md 1.3-1.6, 3.1, 3.3, 3.5, 3.6), as the code runs on it.

`chat` is /api/chat, `completion` /api/generate, `embedding` /api/embed, `embedding.single` /api/embeddings. `*` is any
other name. Rows of parameters are looped over by the reader and the writer; those of content say what their code does.
"""

from __future__ import annotations

from pipeline import IfLost, Parameter
from stages.dialects.table import Content, Reads, Writes

_CHAT = ("chat",)
_TEXT = ("completion",)
_GENERATE = (*_CHAT, *_TEXT)
_EMBED = ("embedding",)
_EMBEDDINGS = (*_EMBED, "embedding.single")
_ALL = (*_GENERATE, *_EMBEDDINGS)
_DROP, _WARN, _REJECT = IfLost.DROP, IfLost.WARN, IfLost.REJECT
_P = Parameter

SERVER_OPTIONS = ("num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep", "use_mmap", "draft_num_predict")
"""Options that say how the server does its work, and nothing of the answer."""

_GONE = (
    *("mirostat", "mirostat_tau", "mirostat_eta", "tfs_z", "penalize_newline", "numa", "low_vram", "f16_kv"),
    *("vocab_only", "use_mlock", "logits_all", "embedding_only"),
)
"""Options that old clients still send and no server knows any more."""

_SAMPLING = (
    ("temperature", _P.TEMPERATURE),
    ("top_p", _P.TOP_P),
    ("top_k", _P.TOP_K),
    ("min_p", _P.MIN_P),
    ("typical_p", _P.TYPICAL_P),
    ("frequency_penalty", _P.FREQUENCY_PENALTY),
    ("presence_penalty", _P.PRESENCE_PENALTY),
    ("repeat_penalty", _P.REPEAT_PENALTY),
    ("repeat_last_n", _P.REPEAT_LAST_N),
    ("seed", _P.SEED),
    ("stop", _P.STOP),
    ("num_predict", _P.MAX_TOKENS),
)
_LOSS_READ = {"seed": "-1, which means random", "num_predict": "0; negative means open-ended", "stop": "empty texts"}
_LOSS_WRITTEN = {"seed": "reduced into 0..2147483647"}

_MESSAGES = (
    Reads("messages[].role", Content.ROLE, loss="other roles than system, user, assistant, tool"),
    Reads("messages[].content", Content.TEXT),
    Reads("messages[].images", Content.IMAGE, emulated="`[img]` in the text places them"),
    Reads("messages[].images", Content.AUDIO),
    Reads("messages[].thinking", Content.PAST_REASONING),
    Reads("messages[].tool_calls[].id", Content.TOOL_CALL_ID),
    Reads("messages[].tool_calls[].function", Content.TOOL_CALL),
    Reads("messages[].tool_call_id", Content.TOOL_CALL_ID),
    Reads("messages[].tool_name", Content.TOOL_RESULT),
    Reads("messages[].*", None, _DROP),
)

_OPTIONS = (
    *(
        Reads(f"options.{name}", means, loss=_LOSS_READ.get(name, ""), operations=_GENERATE)
        for name, means in _SAMPLING
    ),
    *(Reads(f"options.{name}", None, _DROP, operations=_EMBEDDINGS) for name, _ in _SAMPLING),
    Reads("options.num_ctx", _P.NUM_CTX, operations=_ALL),
    *(Reads(f"options.{name}", _P.SERVER_OPTIONS, operations=_ALL) for name in SERVER_OPTIONS),
    *(Reads(f"options.{name}", None, _DROP, operations=_ALL) for name in (*_GONE, "*")),
)

READS: tuple[Reads, ...] = (
    Reads("model", Content.MODEL, operations=_ALL),
    Reads("stream", Content.STREAM, operations=_GENERATE),
    *_MESSAGES,
    Reads("prompt", Content.PROMPT, loss="the chat template, where raw is true", operations=_TEXT),
    Reads("system", Content.TEXT, emulated="a message before the prompt", operations=_TEXT),
    Reads("images", Content.IMAGE, emulated="`[img]` in the prompt places them", operations=_TEXT),
    Reads("images", Content.AUDIO, operations=_TEXT),
    Reads("input", Content.INPUT, operations=_EMBED),
    Reads("prompt", Content.INPUT, operations=("embedding.single",)),
    Reads("tools[].function", Content.TOOL),
    Reads("format", Content.ANY_JSON, operations=_GENERATE),
    Reads("format", Content.SCHEMA_JSON, operations=_GENERATE),
    *_OPTIONS,
    Reads("think", _P.REASONING, loss="true is medium", operations=_GENERATE),
    Reads("keep_alive", _P.KEEP_ALIVE, operations=_ALL),
    Reads("truncate", _P.TRUNCATE, operations=_GENERATE),
    Reads("truncate", _P.TRUNCATE, loss="true, the default", operations=_EMBED),
    Reads("shift", _P.SHIFT, operations=_GENERATE),
    Reads("logprobs", _P.LOGPROBS, operations=_GENERATE),
    Reads("top_logprobs", _P.TOP_LOGPROBS, operations=_GENERATE),
    Reads("suffix", _P.SUFFIX, operations=_TEXT),
    Reads("template", _P.TEMPLATE, operations=_TEXT),
    Reads("dimensions", _P.DIMENSIONS, operations=_EMBED),
    Reads("context", None, _WARN, operations=_TEXT),
    Reads("_debug_render_only", None, _REJECT, operations=_GENERATE),
    Reads("*", None, _DROP, operations=_ALL),
)

WRITES: tuple[Writes, ...] = (
    Writes(Content.MODEL, "model", operations=(*_GENERATE, *_EMBED)),
    Writes(Content.STREAM, "stream", operations=_GENERATE),
    Writes(Content.ROLE, "messages[].role"),
    Writes(Content.TEXT, "messages[].content", loss="borders between parts, made line feeds"),
    Writes(Content.IMAGE, "messages[].images", loss="media type, and where in the text it stood"),
    Writes(Content.AUDIO, "messages[].images", loss="format, and where in the text it stood"),
    Writes(Content.PAST_REASONING, "messages[].thinking"),
    Writes(Content.TOOL_CALL, "messages[].tool_calls[].function"),
    Writes(Content.TOOL_CALL_ID, "messages[].tool_calls[].id"),
    Writes(Content.TOOL_RESULT, "messages[].tool_call_id"),
    Writes(Content.TOOL_RESULT, "messages[].tool_name", emulated="the name of the call that is answered"),
    Writes(Content.TOOL, "tools[].function", loss="schema keywords unknown there become part of the description"),
    Writes(Content.ANY_JSON, "format"),
    Writes(Content.SCHEMA_JSON, "format", loss="the name"),
    Writes(Content.PROMPT, "prompt", loss="an empty one is a space", operations=_TEXT),
    Writes(Content.INPUT, "input", operations=_EMBED),
    *(
        Writes(means, f"options.{name}", loss=_LOSS_WRITTEN.get(name, ""), operations=_GENERATE)
        for name, means in _SAMPLING
    ),
    Writes(_P.NUM_CTX, "options.num_ctx", operations=(*_GENERATE, *_EMBED)),
    Writes(_P.SERVER_OPTIONS, "options", operations=(*_GENERATE, *_EMBED)),
    Writes(_P.REASONING, "think", loss="minimal is low, xhigh is max", operations=_GENERATE),
    Writes(_P.LOGPROBS, "logprobs", operations=_GENERATE),
    Writes(_P.TOP_LOGPROBS, "top_logprobs", operations=_GENERATE),
    Writes(_P.KEEP_ALIVE, "keep_alive", operations=(*_GENERATE, *_EMBED)),
    Writes(_P.TRUNCATE, "truncate", operations=(*_GENERATE, *_EMBED)),
    Writes(_P.SHIFT, "shift", operations=_GENERATE),
    Writes(_P.SUFFIX, "suffix", operations=_TEXT),
    Writes(_P.TEMPLATE, "template", operations=_TEXT),
    Writes(_P.DIMENSIONS, "dimensions", operations=_EMBED),
)
