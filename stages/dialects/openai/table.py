"""What each field of this dialect means (protocol.md 2.2-2.7, 3.1, 3.3, 3.5, 3.6), as the code runs on it.

Rows of one meaning stand in the order in which they count: the first that is given wins. `*` is any other name.
"""

from __future__ import annotations

from pipeline import IfLost, Parameter
from stages.dialects.openai.profiles import LLAMA_CPP, OPENAI, OPENROUTER, VLLM
from stages.dialects.table import Content, Reads, Writes

_CHAT = ("chat",)
_TEXT = ("completion",)
_EMBED = ("embedding",)
_GENERATE = (*_CHAT, *_TEXT)
_ALL = (*_GENERATE, *_EMBED)
_DROP, _WARN, _REJECT = IfLost.DROP, IfLost.WARN, IfLost.REJECT
_P = Parameter

_MESSAGES = (
    Reads("messages[].role", Content.ROLE, loss="developer is system, function is tool"),
    Reads("messages[].content", Content.TEXT),
    Reads("messages[].content[].text", Content.TEXT, loss="borders between parts"),
    Reads("messages[].content[].refusal", Content.TEXT, loss="that it is a refusal"),
    Reads("messages[].content[].image_url", Content.IMAGE, loss="only data URLs: nothing is fetched"),
    Reads("messages[].content[].image_url.detail", None, _DROP),
    Reads("messages[].content[].input_audio", Content.AUDIO),
    Reads("messages[].content[].file", None, _REJECT, emulated="an image or a text is put into the message"),
    Reads("messages[].content[].file.filename", None, _DROP),
    Reads("messages[].content[].cache_control", None, _DROP),
    Reads("messages[].content[].prompt_cache_breakpoint", None, _DROP),
    Reads("messages[].content[]", None, _REJECT, loss="parts of other types"),
    Reads("messages[].refusal", Content.TEXT, loss="that it is a refusal"),
    Reads("messages[].name", None, _DROP),
    Reads("messages[].annotations", None, _DROP),
    Reads("messages[].cache_control", None, _DROP),
    Reads("messages[].audio", None, _REJECT),
    Reads("messages[].reasoning", Content.PAST_REASONING),
    Reads("messages[].reasoning_content", Content.PAST_REASONING),
    Reads("messages[].tool_calls[].id", Content.TOOL_CALL_ID),
    Reads("messages[].tool_calls[].function", Content.TOOL_CALL, loss="spacing and number spelling of arguments"),
    Reads("messages[].tool_calls[]", None, _REJECT, loss="calls of custom tools"),
    Reads("messages[].tool_calls[].index", None, _DROP),
    Reads("messages[].function_call", Content.TOOL_CALL),
    Reads("messages[].tool_call_id", Content.TOOL_RESULT),
)

_TOOLS = (
    Reads("tools[].function", Content.TOOL),
    Reads("tools[].function.strict", None, _WARN),
    Reads("tools[]", None, _REJECT, loss="custom and hosted tools"),
    Reads("functions[]", Content.TOOL, emulated="the answer has the legacy form"),
    Reads("functions[].strict", None, _WARN),
    Reads("tool_choice", Content.TOOL_CHOICE),
    Reads("function_call", Content.TOOL_CHOICE),
    Reads("parallel_tool_calls", _P.PARALLEL_TOOL_CALLS),
)

_FORMAT = (
    Reads("response_format.type", Content.ANY_JSON),
    Reads("response_format.json_schema.schema", Content.SCHEMA_JSON),
    Reads("response_format.json_schema.name", Content.SCHEMA_JSON, loss="the name"),
    Reads("response_format.json_schema.description", None, _DROP),
    Reads("response_format.json_schema.strict", None, _DROP),
)

_PARAMETERS = (
    Reads("max_completion_tokens", _P.MAX_TOKENS),
    Reads("max_tokens", _P.MAX_TOKENS, operations=_GENERATE),
    Reads("temperature", _P.TEMPERATURE, operations=_GENERATE),
    Reads("top_p", _P.TOP_P, operations=_GENERATE),
    Reads("frequency_penalty", _P.FREQUENCY_PENALTY, operations=_GENERATE),
    Reads("presence_penalty", _P.PRESENCE_PENALTY, operations=_GENERATE),
    Reads("seed", _P.SEED, operations=_GENERATE),
    Reads("stop", _P.STOP, operations=_GENERATE),
    Reads("n", _P.CHOICES, operations=_GENERATE),
    Reads("logit_bias", _P.LOGIT_BIAS, operations=_GENERATE),
    Reads("reasoning_effort", _P.REASONING),
    Reads("reasoning.effort", _P.REASONING),
    Reads("logprobs", _P.LOGPROBS),
    Reads("logprobs", _P.TOP_LOGPROBS, operations=_TEXT),
    Reads("top_logprobs", _P.TOP_LOGPROBS),
    Reads("verbosity", _P.VERBOSITY),
    Reads("suffix", _P.SUFFIX, operations=_TEXT),
    Reads("dimensions", _P.DIMENSIONS, operations=_EMBED),
)

_OPTIONS = (
    ("num_predict", _P.MAX_TOKENS, _GENERATE),
    ("temperature", _P.TEMPERATURE, _GENERATE),
    ("top_p", _P.TOP_P, _GENERATE),
    ("top_k", _P.TOP_K, _GENERATE),
    ("min_p", _P.MIN_P, _GENERATE),
    ("typical_p", _P.TYPICAL_P, _GENERATE),
    ("frequency_penalty", _P.FREQUENCY_PENALTY, _GENERATE),
    ("presence_penalty", _P.PRESENCE_PENALTY, _GENERATE),
    ("repeat_penalty", _P.REPEAT_PENALTY, _GENERATE),
    ("repeat_last_n", _P.REPEAT_LAST_N, _GENERATE),
    ("seed", _P.SEED, _GENERATE),
    ("stop", _P.STOP, _GENERATE),
    ("num_ctx", _P.NUM_CTX, _ALL),
    ("*", _P.SERVER_OPTIONS, _ALL),
)
"""The options of local model servers (protocol.md 1.3), which clients send in an object of extensions."""

OPTION_OBJECTS = ("options", "ollama.options")

_EXTENSIONS = (
    Reads("top_k", _P.TOP_K, operations=_GENERATE),
    Reads("min_p", _P.MIN_P, operations=_GENERATE),
    Reads("repetition_penalty", _P.REPEAT_PENALTY, operations=_GENERATE),
    Reads("num_ctx", _P.NUM_CTX, operations=_ALL),
    Reads("keep_alive", _P.KEEP_ALIVE, operations=_ALL),
    Reads("think", _P.REASONING, operations=_GENERATE),
    Reads("ollama.keep_alive", _P.KEEP_ALIVE, operations=_ALL),
    Reads("ollama.think", _P.REASONING, operations=_GENERATE),
    Reads("ollama.truncate", _P.TRUNCATE, operations=_ALL),
    Reads("ollama.shift", _P.SHIFT, operations=_GENERATE),
    *(
        Reads(f"{owner}.{name}", means, operations=operations)
        for owner in OPTION_OBJECTS
        for name, means, operations in _OPTIONS
    ),
)

_HINTS = (
    Reads("stream_options.include_usage", None, _DROP, emulated="by what the gateway answers", operations=_GENERATE),
    Reads("stream_options.include_obfuscation", None, _DROP, operations=_GENERATE),
    *(Reads(name, None, _DROP, operations=_ALL) for name in ("user", "metadata", "safety_identifier")),
    *(
        Reads(name, None, _DROP)
        for name in (
            *("prediction", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
            *("moderation", "store"),
        )
    ),
    Reads("service_tier", None, _DROP, emulated="the answer says default"),
    Reads("modalities", None, _REJECT, loss='anything but ["text"]'),
    Reads("audio", None, _REJECT),
    Reads("web_search_options", None, _REJECT),
    Reads("echo", None, _DROP, emulated="the gateway puts the prompt before the answer", operations=_TEXT),
    Reads("best_of", None, _REJECT, loss="more than n", operations=_TEXT),
    Reads("encoding_format", None, _DROP, emulated="the gateway encodes the vectors", operations=_EMBED),
    Reads("*", None, _WARN, operations=_ALL),
)

READS: tuple[Reads, ...] = (
    Reads("model", Content.MODEL, operations=_ALL),
    Reads("stream", Content.STREAM, operations=_GENERATE),
    *_MESSAGES,
    Reads("prompt", Content.PROMPT, operations=_TEXT),
    Reads("input", Content.INPUT, operations=_EMBED),
    *_TOOLS,
    *_FORMAT,
    *_PARAMETERS,
    *_EXTENSIONS,
    *_HINTS,
)

_KNOW_MORE = (LLAMA_CPP, VLLM, OPENROUTER)

WRITES: tuple[Writes, ...] = (
    Writes(Content.MODEL, "model", operations=_ALL),
    Writes(Content.STREAM, "stream", operations=_GENERATE),
    Writes(Content.ROLE, "messages[].role"),
    Writes(Content.TEXT, "messages[].content"),
    Writes(Content.IMAGE, "messages[].content[].image_url"),
    Writes(Content.AUDIO, "messages[].content[].input_audio"),
    Writes(Content.PAST_REASONING, "messages[].reasoning", profiles=(VLLM, OPENROUTER)),
    Writes(Content.PAST_REASONING, "messages[].reasoning_content", profiles=(LLAMA_CPP,)),
    Writes(Content.TOOL_CALL, "messages[].tool_calls[].function"),
    Writes(Content.TOOL_CALL_ID, "messages[].tool_calls[].id", emulated="made where there is none"),
    Writes(Content.TOOL_RESULT, "messages[].tool_call_id", emulated="the call is searched where none is named"),
    Writes(Content.TOOL, "tools[].function"),
    Writes(Content.TOOL_CHOICE, "tool_choice"),
    Writes(Content.ANY_JSON, "response_format.type", emulated="asked for in words too (json_hint)"),
    Writes(Content.SCHEMA_JSON, "response_format.json_schema.schema"),
    Writes(Content.PROMPT, "prompt", operations=_TEXT),
    Writes(Content.INPUT, "input", operations=_EMBED),
    Writes(_P.MAX_TOKENS, "max_completion_tokens", profiles=(OPENAI,)),
    Writes(_P.MAX_TOKENS, "max_tokens", profiles=_KNOW_MORE),
    Writes(_P.MAX_TOKENS, "max_tokens", operations=_TEXT),
    Writes(_P.TEMPERATURE, "temperature", loss="clamped to 2", operations=_GENERATE),
    Writes(_P.TOP_P, "top_p", operations=_GENERATE),
    Writes(_P.TOP_K, "top_k", profiles=_KNOW_MORE, operations=_GENERATE),
    Writes(_P.MIN_P, "min_p", profiles=_KNOW_MORE, operations=_GENERATE),
    Writes(_P.TYPICAL_P, "typical_p", profiles=(LLAMA_CPP,), operations=_GENERATE),
    Writes(_P.FREQUENCY_PENALTY, "frequency_penalty", operations=_GENERATE),
    Writes(_P.PRESENCE_PENALTY, "presence_penalty", operations=_GENERATE),
    Writes(_P.REPEAT_PENALTY, "repeat_penalty", profiles=(LLAMA_CPP,), operations=_GENERATE),
    Writes(_P.REPEAT_PENALTY, "repetition_penalty", profiles=(VLLM, OPENROUTER), operations=_GENERATE),
    Writes(_P.REPEAT_LAST_N, "repeat_last_n", profiles=(LLAMA_CPP,), operations=_GENERATE),
    Writes(_P.SEED, "seed", operations=_GENERATE),
    Writes(_P.STOP, "stop", loss="all but the first four", operations=_GENERATE),
    Writes(_P.REASONING, "reasoning_effort", profiles=(OPENAI, VLLM)),
    Writes(_P.REASONING, "reasoning.effort", profiles=(OPENROUTER,)),
    Writes(_P.REASONING, "chat_template_kwargs.reasoning_effort", profiles=(LLAMA_CPP,)),
    Writes(_P.LOGPROBS, "logprobs"),
    Writes(_P.LOGPROBS, "logprobs", operations=_TEXT),
    Writes(_P.TOP_LOGPROBS, "top_logprobs"),
    Writes(_P.TOP_LOGPROBS, "logprobs", operations=_TEXT),
    Writes(_P.CHOICES, "n", operations=_GENERATE),
    Writes(_P.LOGIT_BIAS, "logit_bias", operations=_GENERATE),
    Writes(_P.PARALLEL_TOOL_CALLS, "parallel_tool_calls"),
    Writes(_P.SUFFIX, "suffix", operations=_TEXT),
    Writes(_P.DIMENSIONS, "dimensions", operations=_EMBED),
    Writes(_P.VERBOSITY, "verbosity", profiles=(OPENAI, OPENROUTER)),
)
