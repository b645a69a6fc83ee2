// What the scripts beside this one tell tests/wire/test_other_clients.py: one line of JSON a check, on standard output.
//
// A script judges nothing. It calls its client as a user would and says what the client gave back; the test asserts.

/** Where to call and which models, as the test says it in the only argument. */
export const told = JSON.parse(process.argv[2]);

export const QUESTION = "Please use get_weather for Paris."; // the words that both models call a tool upon
// Minutes of tokens for a model of this size, unless somebody stops it.
export const LONG = "Write a very long story about a dragon, in many chapters.";
export const PARAMETERS = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const WEATHER = {
  type: "function",
  function: { name: "get_weather", description: "The weather in a city.", parameters: PARAMETERS },
};
export const SCHEMA = { type: "object", properties: { yes: { type: "boolean" } }, required: ["yes"] };

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Say what `work` gives, or that it threw, which is then the end of this check alone. */
export async function check(name, work) {
  try {
    say({ check: name, value: await work() });
  } catch (error) {
    say({ check: name, error: `${error.constructor.name}: ${error.message}` });
  }
}

/** What a call that must fail is refused with, as the client shows it. */
export async function refused(work) {
  try {
    await work();
  } catch (error) {
    const { name, status, status_code: statusCode, code, param, message } = error;
    return { class: error.constructor.name, name, status: status ?? statusCode, code, param, message };
  }
  throw new Error("it was not refused");
}

/** Stay alive until the test closes standard input: an exit would free the model server just as a cancel does. */
export async function stay() {
  for await (const _ of process.stdin);
}
