// The official OpenAI client for JavaScript, unmodified, at the OpenAI face.
import OpenAI from "openai";

import { LONG, QUESTION, SCHEMA, WEATHER, check, refused, stay, told } from "./report.mjs";

const client = new OpenAI({ baseURL: told.openai, apiKey: told.key, maxRetries: 0, timeout: 60_000 });
const greet = {
  model: told.model,
  messages: [{ role: "user", content: "Say hello." }],
  max_completion_tokens: 8,
  temperature: 0,
};

await check("list", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  return { ids };
});

await check("chat", async () => {
  const { choices, usage } = await client.chat.completions.create(greet);
  return { text: choices[0].message.content, finish: choices[0].finish_reason, tokens: usage.completion_tokens };
});

await check("stream", async () => {
  const stream = await client.chat.completions.create({
    ...greet,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "", parts = 0, finish, tokens;
  for await (const chunk of stream) {
    if (chunk.choices.length) parts += 1;
    text += chunk.choices[0]?.delta.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    tokens = chunk.usage?.completion_tokens ?? tokens;
  }
  return { text, parts, finish, tokens };
});

// The client's own accumulator, which is the strictest reader of tool call fragments.
await check("tools", async () => {
  const asked = { model: told.tool_model, temperature: 0, max_completion_tokens: 64 };
  const question = { role: "user", content: QUESTION };
  const stream = client.chat.completions.stream({ ...asked, messages: [question], tools: [WEATHER] });
  const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0];
  const [call] = message.tool_calls;
  const messages = [question, message, { role: "tool", tool_call_id: call.id, content: "Sunny, 20 degrees." }];
  const after = await client.chat.completions.create({ ...asked, messages, tools: [WEATHER], tool_choice: "none" });
  return {
    calls: message.tool_calls.length,
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments),
    finish: finish_reason,
    answer: after.choices[0].message.content,
  };
});

await check("structured", async () => {
  const response_format = { type: "json_schema", json_schema: { name: "answer", schema: SCHEMA } };
  const asked = { ...greet, max_completion_tokens: 40, response_format };
  return JSON.parse((await client.chat.completions.create(asked)).choices[0].message.content);
});

await check("embeddings", async () => {
  const asked = { model: told.model, input: ["one", "two"] };
  const [packed, plain] = [
    await client.embeddings.create(asked), // in base64, which this client prefers
    await client.embeddings.create({ ...asked, encoding_format: "float" }),
  ];
  return { vectors: packed.data.map((item) => item.embedding), again: plain.data.map((item) => item.embedding) };
});

await check("unknown model", () =>
  refused(() => client.chat.completions.create({ ...greet, model: "no-such-model" })),
);

await check("unknown model, streamed", () =>
  refused(() => client.chat.completions.create({ ...greet, model: "no-such-model", stream: true })),
);

await check("wrong key", () => refused(() => client.withOptions({ apiKey: "nobody" }).models.list()));

await check("bad request", () =>
  refused(() => client.chat.completions.create({ ...greet, messages: [{ role: "user", content: 5 }] })),
);

await check("cancel", async () => {
  const controller = new AbortController();
  const asked = { ...greet, messages: [{ role: "user", content: LONG }], max_completion_tokens: 1500, stream: true };
  const stream = await client.chat.completions.create(asked, { signal: controller.signal });
  let seen = 0;
  for await (const _ of stream) {
    seen += 1;
    if (seen === 3) controller.abort();
  }
  return { seen };
});
await stay();
