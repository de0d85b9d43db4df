// A broker that Muster is the authority of: node broker.mjs <address> <MQTT port> <management port> <password file>
// The address is http://127.0.0.1:8080/mqtt/SECRET/json; the password is Muster's, to throw devices off with.
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import process from "node:process";
import { Aedes } from "aedes";

const [registry, mqttPort, managementPort, passwordFile] = process.argv.slice(2);
const hash = (text) => crypto.createHash("sha256").update(text).digest();
const basic = (text) => hash("Basic " + Buffer.from(text).toString("base64"));
const muster = basic("muster:" + fs.readFileSync(passwordFile, "utf8").trim());
const broker = await Aedes.createBroker();

broker.authenticate = async (client, username, password, done) => {
  try {
    const answer = await fetch(registry + "/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ clientId: client.id, username, password: password?.toString() }),
      signal: AbortSignal.timeout(3000),
    });
    client.login = answer.ok ? await answer.json() : {};
  } catch {
    client.login = {}; // Muster is away: nobody is let in, and nobody thrown off.
  }
  client.user = username;
  const { allow, until } = client.login;
  if (until) client.end = setTimeout(() => client.close(), Date.parse(until) - Date.now());
  done(null, allow === true);
};
// Compared for equality; a program of yours has "#", which is everything.
const may = (topics, topic) => topics?.includes("#") || topics?.includes(topic);
broker.authorizePublish = (client, packet, done) =>
  done(may(client?.login?.publish, packet.topic) ? null : new Error("not a topic of its own"));
broker.authorizeSubscribe = (client, subscription, done) =>
  done(null, may(client?.login?.subscribe, subscription.topic) ? subscription : null);
broker.on("clientDisconnect", (client) => clearTimeout(client.end));

net.createServer(broker.handle).listen(Number(mqttPort), "127.0.0.1", () => console.log("listens"));

// DELETE /clients/<client id> and /users/<user name>; nobody who is thrown off has a last will.
const end = (client) => {
  client.will = null;
  return new Promise((ended) => client.close(ended));
};
http.createServer(async (request, response) => {
  const reply = (status) => response.writeHead(status).end();
  if (!crypto.timingSafeEqual(hash(request.headers.authorization ?? ""), muster)) return reply(401);
  const [, kind, name] = new URL(request.url, "http://broker").pathname.split("/").map(decodeURIComponent);
  const member = { clients: "id", users: "user" }[kind];
  if (request.method !== "DELETE" || !member) return reply(405);
  await Promise.all(Object.values(broker.clients).filter((client) => client[member] === name).map(end));
  reply(204);
}).listen(Number(managementPort), "127.0.0.1");
