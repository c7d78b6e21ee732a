// A Lambda function that returns the requested environment variables: {"names": [...]}.
//
// It is for trying things out: anyone who can invoke it can read the secrets.
import { setTimeout } from "node:timers/promises";

/** The value of each name in `event.names`, null for one that is not set. */
export async function handler(event) {
  return { environment: Object.fromEntries(event.names.map((name) => [name, valueOf(name)])) };
}

/** The same as a response stream: a line of JSON for each name, `event.pause` milliseconds apart. */
export const stream = awslambda.streamifyResponse(async (event, response) => {
  response.setContentType("application/jsonl");
  for (const name of event.names) {
    response.write(`${JSON.stringify({ [name]: valueOf(name) })}\n`);
    await setTimeout(event.pause);
  }
  response.end();
});

function valueOf(name) {
  return process.env[name] ?? null;
}
