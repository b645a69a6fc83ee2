"""The built-in kinds, as a table of names: nothing here is imported until a config uses it."""

from pipeline import Row

TABLE = (
    Row("stage", "authenticate", "stages.authenticate:Authenticate"),
    Row("stage", "authorize", "stages.authorize:Authorize"),
    Row("stage", "map_model", "stages.map_model:MapModel"),
    Row("stage", "discover", "stages.discover:Discover"),
    Row("stage", "transform", "stages.transform.stage:Transform"),
    Row("stage", "dispatch", "stages.dispatch:Dispatch"),
    Row("stage", "normalise", "stages.normalise:Normalise"),
    Row("stage", "echo", "stages.echo:Echo"),
    Row("dialect", "openai", "stages.dialects.openai.dialect:OpenAI"),
    Row("dialect", "ollama", "stages.dialects.ollama.dialect:Ollama"),
    Row("transport", "h1", "stages.upstreams.h1.transport:H1Transport"),
    Row("transport", "httpx2", "stages.upstreams.httpx2_transport:Httpx2Transport"),
    Row("upstreams", "http", "stages.upstreams.http:HttpUpstream"),
    Row("keys", "static", "stages.keys:StaticKeys"),
    Row("catalogues", "models", "stages.catalogue.resource:ModelCatalogue"),
)
