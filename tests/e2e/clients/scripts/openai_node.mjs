// Runs calls with the official `openai` package for Node and prints what they returned, as JSON.
// Reads {"client": {…}, "calls": {name: [function, arguments]}} from standard input; its argument is the folder of the
// package. It knows nothing of this project.

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const OpenAI = createRequire(`${process.argv[2]}/`)('openai');

const WEATHER = { get_weather: '21 °C', get_time: 'noon' };
const PLACE = { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] };
const TOOLS = Object.keys(WEATHER).map((name) => ({ type: 'function', function: { name, parameters: PLACE } }));

const raised = (error) => ({
  raised: error.constructor.name,
  status_code: error.status ?? null,
  code: error.code ?? null,
  type: error.type ?? null,
  param: error.param ?? null,
  message: error.message,
  request_id: error.requestID ?? null,
  body: error.error ?? null,
});

// The arguments as those of the package: a body, and options. The names are those of the package for Python.
const split = ({ extra_headers: headers, extra_body: extra, ...body }) => [{ ...body, ...extra }, { headers }];

// A vector as numbers; base64 that was asked for stays text.
const plain = (row) =>
  typeof row.embedding === 'string' ? row : { ...row, embedding: Array.from(row.embedding) };

const functions = {
  async chat(client, asked) {
    const completion = await client.chat.completions.create(...split(asked));
    return { ...completion, request_id: completion._request_id };
  },

  async stream(client, asked) {
    const chunks = [];
    try {
      for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) chunks.push(chunk);
    } catch (error) {
      return { chunks, ...raised(error) };
    }
    return { chunks };
  },

  async helper(client, asked) {
    return client.chat.completions.stream(asked).finalChatCompletion();
  },

  async tools(client, { streamed, messages, ...asked }) {
    const join = streamed ? functions.helper : functions.chat;
    const first = await join(client, { ...asked, messages, tools: TOOLS });
    const answer = first.choices[0].message;
    const results = answer.tool_calls.map((call) => ({
      role: 'tool',
      tool_call_id: call.id,
      content: WEATHER[call.function.name],
    }));
    const second = await join(client, { ...asked, messages: [...messages, answer, ...results], tools: TOOLS });
    return { turns: [first, second] };
  },

  async embed(client, asked) {
    const found = await client.embeddings.create(asked);
    return { ...found, data: found.data.map(plain) };
  },

  async models(client) {
    const rows = [];
    for await (const row of client.models.list()) rows.push(row);
    return { rows };
  },

  async retrieve(client, { model }) {
    return client.models.retrieve(model);
  },

  async raw(client, asked) {
    const { data, response } = await client.chat.completions.create(asked).withResponse();
    return { headers: Object.fromEntries(response.headers), ...data };
  },
};

const { client: settings, calls } = JSON.parse(await text(process.stdin));
const client = new OpenAI(settings);
const facts = {};
for (const [name, [called, asked]] of Object.entries(calls)) {
  try {
    facts[name] = await functions[called](client, asked);
  } catch (error) {
    // A body that is cut off raises an error of fetch, which the package passes on.
    if (!(error instanceof OpenAI.APIError) && error.message !== 'terminated') throw error;
    facts[name] = raised(error);
  }
}
console.log(JSON.stringify(facts));
