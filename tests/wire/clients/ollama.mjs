// The official Ollama client for JavaScript, unmodified, at the Ollama face.
import { Ollama } from "ollama";

import { LONG, QUESTION, SCHEMA, WEATHER, check, refused, stay, told } from "./report.mjs";

const at = (key) => new Ollama({ host: told.ollama, headers: { Authorization: `Bearer ${key}` } });
const client = at(told.key);
const greet = {
  model: told.model,
  messages: [{ role: "user", content: "Say hello." }],
  options: { num_predict: 8, temperature: 0 },
};

await check("list", async () => ({ ids: (await client.list()).models.map((model) => model.name) }));

await check("show", async () => {
  const { details, capabilities } = await client.show({ model: told.model });
  return { details, capabilities: capabilities ?? null };
});

await check("chat", async () => {
  const { message, done_reason, eval_count } = await client.chat(greet);
  return { text: message.content, finish: done_reason, tokens: eval_count };
});

await check("stream", async () => {
  let text = "", parts = 0, last;
  for await (const part of await client.chat({ ...greet, stream: true })) {
    parts += 1;
    text += part.message.content;
    last = part;
  }
  return { text, parts, finish: last.done_reason, tokens: last.eval_count };
});

await check("generate", async () => {
  const asked = { model: told.model, prompt: "Once upon a", options: greet.options };
  let text = "";
  for await (const part of await client.generate({ ...asked, stream: true })) text += part.response;
  return { text, whole: (await client.generate(asked)).response };
});

await check("tools", async () => {
  const asked = { model: told.tool_model, options: { num_predict: 64, temperature: 0 } };
  const question = { role: "user", content: QUESTION };
  const calls = [];
  let finish;
  for await (const part of await client.chat({ ...asked, messages: [question], tools: [WEATHER], stream: true })) {
    calls.push(...(part.message.tool_calls ?? []));
    finish = part.done_reason;
  }
  const said = { role: "assistant", content: "", tool_calls: calls };
  const result = { role: "tool", tool_name: "get_weather", content: "Sunny, 20 degrees." };
  const after = await client.chat({ ...asked, messages: [question, said, result] });
  return {
    calls: calls.length,
    name: calls[0].function.name,
    arguments: calls[0].function.arguments,
    finish,
    answer: after.message.content,
  };
});

await check("structured", async () => {
  const asked = { ...greet, format: SCHEMA, options: { num_predict: 40, temperature: 0 } };
  return JSON.parse((await client.chat(asked)).message.content);
});

await check("embeddings", async () => {
  const { embeddings } = await client.embed({ model: told.model, input: ["one", "two"] });
  const again = [];
  for (const input of ["one", "two"]) again.push((await client.embed({ model: told.model, input })).embeddings[0]);
  return { vectors: embeddings, again };
});

await check("unknown model", () => refused(() => client.chat({ ...greet, model: "no-such-model" })));

await check("unknown model, streamed", () =>
  refused(() => client.chat({ ...greet, model: "no-such-model", stream: true })),
);

await check("wrong key", () => refused(() => at("nobody").list()));

await check("bad request", () =>
  refused(() => client.chat({ ...greet, messages: [{ role: "user", content: 5 }] })),
);

await check("cancel", async () => {
  const asked = { ...greet, messages: [{ role: "user", content: LONG }], options: { num_predict: 1500 } };
  const stream = await client.chat({ ...asked, stream: true });
  let seen = 0;
  try {
    for await (const _ of stream) {
      seen += 1;
      if (seen === 3) stream.abort(); // its AbortController
    }
  } catch (error) {
    return { seen, raised: error.name };
  }
  return { seen };
});
await stay();
