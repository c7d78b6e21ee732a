// A Lambda function that returns the requested environment variables: {"names": [...]}.
//
// It is for trying things out: anyone who can invoke it can read the secrets.

/** The value of each name in `event.names`, null for one that is not set. */
export async function handler(event) {
  return { environment: Object.fromEntries(event.names.map((name) => [name, process.env[name] ?? null])) };
}
