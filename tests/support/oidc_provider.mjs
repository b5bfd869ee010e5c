// A second provider: oidc-provider, an independent implementation of OpenID Connect, certified.
// Called with a port of this machine and a file of JSON: its keys, and its certificate if it is to have one.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";

import Provider, { interactionPolicy } from "../../.tools/npm/node_modules/oidc-provider/lib/index.js";

const [port, path] = process.argv.slice(2);
const { issuer, jwks, tls } = JSON.parse(readFileSync(path, "utf8"));

// Whatever is typed as a login is somebody.
const account = (login) => ({
  accountId: login,
  claims: () => ({
    sub: login,
    email: `${login}@example.org`,
    email_verified: true,
    groups: ["staff", `login-${login}`],
  }),
});

const page = (title, body) => `<!DOCTYPE html><html lang="en"><meta charset="utf-8">
  <link rel="icon" href="data:,"><title>${title}</title><h1>${title}</h1>${body}`;

const provider = new Provider(issuer, {
  jwks,
  findAccount: (_, login) => account(login),
  claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
  scopes: ["openid", "email", "groups"],
  pkce: { required: () => true },
  cookies: { keys: ["a secret of tests"] },
  interactions: { url: (_, interaction) => `/ask/${interaction.uid}`, policy: interactionPolicy.base() },
  // Its own way refuses addresses of this machine.
  fetch: (url, options) => {
    delete options.dispatcher;
    return globalThis.fetch(url, options);
  },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page("End the session?", `${form}
          <button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page("The session has ended", "");
      },
    },
  },
});

async function ask(request, response) {
  const { uid, prompt } = await provider.interactionDetails(request, response);
  const [title, fields] = prompt.name === "login"
    ? ["Who are you?", `<label>Login <input name="login" required></label>
        <button name="answer" value="yes">Continue</button>`]
    : ["May it know?", `<button name="answer" value="yes">Allow</button>
        <button name="answer" value="no">Deny</button>`];
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(page(title, `<form method="post" action="/ask/${uid}">${fields}</form>`));
}

async function take(request, response) {
  const form = new URLSearchParams((await Array.fromAsync(request)).join(""));
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  let result = { error: "access_denied", error_description: "Somebody said no." };
  if (prompt.name === "login") {
    result = { login: { accountId: form.get("login") } };
  } else if (form.get("answer") === "yes") {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

const others = provider.callback();

function serve(request, response) {
  if (!request.url.startsWith("/ask/")) {
    others(request, response);
    return;
  }
  (request.method === "POST" ? take : ask)(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
}

provider.on("server_error", (_, error) => console.error(error));
provider.on("backchannel.error", (_, error, client) => console.error(`no word to ${client.clientId}: ${error}`));
const server = tls === undefined
  ? http.createServer(serve)
  : https.createServer({ cert: readFileSync(tls.certificate), key: readFileSync(tls.key) }, serve);
server.listen(Number(port), "127.0.0.1");
