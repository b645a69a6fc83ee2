"""The native Ollama API: `/api/chat`, `/api/generate`, `/api/embed`, `/api/tags` and more (protocol.md section 1)."""
