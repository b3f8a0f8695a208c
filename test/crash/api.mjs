// A stranger's client of the API: JSON over HTTPS with the kubeconfig's certificate, one connection each.
import { readFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { Agent, request } from "node:https";
import { parse } from "yaml";

const requestMs = 15_000;

export function apiClient(kubeconfig) {
  const { clusters, users } = parse(readFileSync(kubeconfig, "utf8"));
  const decoded = (text) => Buffer.from(text, "base64").toString();
  const server = clusters[0].cluster.server;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: decoded(clusters[0].cluster["certificate-authority-data"]),
    cert: decoded(users[0].user["client-certificate-data"]),
    key: decoded(users[0].user["client-key-data"]),
  });
  return {
    call: (method, path, body, type) => send(request, `${server}${path}`, { method, body, type, agent }),
    close: () => agent.destroy(),
  };
}

export function post(url, body) {
  return send(plainRequest, url, { method: "POST", body, agent: false });
}

/** Rejects when the connection broke, and only then: any answer is an answer. */
function send(open, url, { method, body, type = "application/json", agent }) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": type };
    const asked = open(url, { method, agent, headers, timeout: requestMs });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${requestMs} ms`)));
    asked.on("error", reject);
    asked.on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("close", () => {
        if (!response.complete) return reject(new Error("the answer broke off"));
        resolve({ status: response.statusCode, body: jsonIn(Buffer.concat(chunks).toString()) });
      });
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function jsonIn(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
