// The simplest firmware: node firmware.mjs <registry> <serial> <file> <broker> [<file of a certificate authority>]
// Posts its serial once, keeps what it gets, and lives on MQTT with it: says hello, and prints the first command.
import fs from "node:fs";
import process from "node:process";
import mqtt from "mqtt";

const [registry, serial, file, broker, ca] = process.argv.slice(2);

if (!fs.existsSync(file)) {
  const reply = await fetch(registry + "/register", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ serial }),
  });
  if (!reply.ok) throw new Error(`not registered: ${reply.status} ${await reply.text()}`);
  // Beside the file first: a power cut leaves all of it or nothing.
  fs.writeFileSync(file + ".new", await reply.text(), { mode: 0o600, flush: true });
  fs.renameSync(file + ".new", file);
  console.log("registered");
}
const { deviceId, key, secret } = JSON.parse(fs.readFileSync(file, "utf8"));

// A refused connection says nothing about the credential: the client just tries again.
const client = mqtt.connect(broker, {
  clientId: deviceId,
  username: key,
  password: secret,
  ca: ca && fs.readFileSync(ca),
});
client.on("error", (error) => console.error(error.message));
client.on("connect", async () => {
  await client.subscribeAsync(`muster/${deviceId}/command`, { qos: 1 });
  await client.publishAsync(`muster/${deviceId}/state`, "hello", { qos: 1 });
  console.log(`connected as ${deviceId}`);
});
client.on("message", async (topic, message) => {
  console.log(`command ${message}`);
  await client.endAsync();
});
