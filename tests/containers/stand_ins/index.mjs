// In place of the runtime client of AWS's base images for Node.js, which is compiled code: calls an async handler.
import http from "node:http";

const [module, name] = process.env._HANDLER.split(".");
const { [name]: handler } = await import(`${process.env.LAMBDA_TASK_ROOT}/${module}.mjs`);

// Not fetch, which gives up on an answer after 300 s: an event may take any time.
function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const url = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/${path}`;
    const request = http.request(url, { method }, async (reply) => resolve([reply.headers, await text(reply)]));
    request.on("error", reject).end(body);
  });
}

async function text(reply) {
  return Buffer.concat(await reply.toArray()).toString();
}

for (;;) {
  const [headers, event] = await call("GET", "next");
  const answer = await handler(JSON.parse(event));
  await call("POST", `${headers["lambda-runtime-aws-request-id"]}/response`, JSON.stringify(answer));
}
