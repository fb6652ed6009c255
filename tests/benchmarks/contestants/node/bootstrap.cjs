// Lambda's Runtime API for Node, as little as it can be: the managed runtime does more before its first question.
// The handler is aws-cdk-lib's own, entry point and all, laid out as CDK lays it out for an upload.
const http = require("http");
const path = require("path");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const root = "/2018-06-01/runtime/invocation/";

function ask(method, target, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path: root + target }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const handlers = path.join(path.dirname(require.resolve("aws-cdk-lib/package.json")), "custom-resource-handlers/dist");
const entry = require(path.join(handlers, "core/nodejs-entrypoint-handler"));
entry.external.userHandlerIndex = path.join(handlers, "aws-route53/cross-account-zone-delegation-handler");
// The managed runtime loads the handler before it asks for an invocation; so does this, with the SDK that it needs.
require(entry.external.userHandlerIndex);
// The entry point drops the port of a ResponseURL, which S3's have not.
const send = entry.external.sendHttpRequest;
let answerPort;
entry.external.sendHttpRequest = (options, body) => send({ ...options, port: answerPort }, body);

(async () => {
  for (;;) {
    const next = await ask("GET", "next");
    const event = JSON.parse(next.body);
    answerPort = new URL(event.ResponseURL).port;
    await entry.handler(event, {});
    await ask("POST", `${next.headers["lambda-runtime-aws-request-id"]}/response`, "null");
  }
})();
