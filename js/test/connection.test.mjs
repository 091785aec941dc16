import assert from "node:assert/strict";
import { test } from "node:test";
import { codes, load, settle, status, worker, workers } from "./fake.mjs";

const { NetConnection, NetStatusEvent, NetStream, ObjectEncoding, Responder, SharedObject, configure } = await load();
configure({ workerUrl: "https://school.example/worker.js" });

async function connected(...args) {
  const connection = new NetConnection();
  const promise = connection.connect("wss://school.example/live", ...args);
  const engine = await worker();
  engine.say({ type: "ready" });
  engine.say({ type: "status", info: status("NetConnection.Connect.Success") });
  await promise;
  return { connection, engine };
}

test("connect sends the address and the arguments once the Worker is ready", async () => {
  const connection = new NetConnection();
  connection.objectEncoding = ObjectEncoding.AMF0;
  const promise = connection.connect("/live", "user", { room: 7 });
  const engine = await worker();
  assert.deepEqual(engine.sent.map(({ type }) => type), ["init"]);
  engine.say({ type: "ready" });
  const connect = engine.sent.find(({ type }) => type === "connect");
  assert.equal(connect.url, "wss://school.example/live");
  assert.deepEqual(connect.args, ["user", { room: 7 }]);
  assert.equal(connect.objectEncoding, 0);
  assert.equal(connection.connected, false);
  engine.say({ type: "status", info: status("NetConnection.Connect.Success") });
  assert.equal((await promise).code, "NetConnection.Connect.Success");
  assert.equal(connection.connected, true);
  assert.equal(connection.uri, "wss://school.example/live");
});

test("a status never comes inside the call, and reaches a listener added later", async () => {
  const connection = new NetConnection();
  let rejected = null;
  connection.connect("rtmp://school.example/live").catch((error) => (rejected = error));
  await settle();
  assert.equal(rejected.code, "NetConnection.Connect.Failed");
  const heard = codes(connection);
  assert.deepEqual(heard, []);
  await settle();
  assert.deepEqual(heard, ["NetConnection.Connect.Failed"]);
});

test("an ignored promise is not an unhandled rejection", async () => {
  const heard = [];
  const listener = (error) => heard.push(error);
  process.on("unhandledRejection", listener);
  new NetConnection().connect("nonsense://");
  await settle();
  await settle();
  process.off("unhandledRejection", listener);
  assert.deepEqual(heard, []);
});

test("streams' messages wait for the connection, in order", async () => {
  const connection = new NetConnection();
  const stream = new NetStream(connection);
  connection.connect("wss://school.example/live");
  stream.bufferTime = 15;
  stream.play("conf");
  const engine = await worker();
  engine.say({ type: "ready" });
  assert.deepEqual(engine.types(), ["connect"]);
  engine.say({ type: "status", info: status("NetConnection.Connect.Success") });
  assert.deepEqual(engine.types(), ["connect", "createStream", "bufferTime", "play"]);
  const play = engine.sent.at(-1);
  assert.deepEqual(play, { type: "play", stream: 1, name: "conf", start: -2, length: -1, reset: 1 });
});

test("a Worker that may not be started directly is started from a Blob, and nothing is lost", async () => {
  const connection = new NetConnection();
  connection.connect("wss://school.example/live");
  const direct = await worker();
  assert.equal(direct.url, "https://school.example/worker.js");
  direct.fail();
  const blob = await worker();
  assert.notEqual(blob, direct);
  assert.match(blob.url, /^blob:/);
  blob.say({ type: "ready" });
  assert.deepEqual(blob.types(), ["connect"]);
});

test("a Worker that starts in no way is a clear refusal", async () => {
  const connection = new NetConnection();
  const promise = connection.connect("wss://school.example/live");
  (await worker()).fail();
  (await worker()).fail();
  await assert.rejects(promise, (error) => error.code === "NetConnection.Connect.Failed" && /worker-src blob:/.test(error.message));
});

test("a script of another origin is started from a Blob at once", async () => {
  configure({ workerUrl: "https://files.example/worker.js" });
  new NetConnection().connect("wss://school.example/live");
  assert.match((await worker()).url, /^blob:/);
  configure({ workerUrl: "https://school.example/worker.js" });
});

test("the Worker's death ends connection and streams", async () => {
  const { connection, engine } = await connected();
  const heard = codes(connection);
  const stream = new NetStream(connection);
  let ended = false;
  stream.addEventListener("ended", () => (ended = true));
  engine.say({ type: "fatal", message: "out of memory" });
  await settle();
  assert.deepEqual(heard, ["NetConnection.Connect.Success", "NetConnection.Connect.Closed"]);
  assert.equal(connection.connected, false);
  assert.equal(ended, true);
  assert.equal(engine.terminated, true);
  await assert.rejects(stream.play("conf"), { code: "NetStream.Failed" });
});

test("goLive lowers a bufferTime that is above the least, and tells the engine in any case", async () => {
  const { connection, engine } = await connected();
  const stream = new NetStream(connection);
  const told = () => engine.sent.filter(({ type }) => type === "bufferTime").map(({ bufferTime }) => bufferTime);
  stream.bufferTime = 15;
  stream.goLive();
  stream.bufferTime = 0;
  stream.goLive();
  assert.deepEqual(told(), [15, 0.1, 0, 0]);
});

test("call answers by promise and Responder", async () => {
  const { connection, engine } = await connected();
  const results = [];
  const promise = connection.call("add", new Responder((value) => results.push(value)), 1, 2);
  const { call, args } = engine.sent.at(-1);
  assert.deepEqual(args, [1, 2]);
  engine.say({ type: "callResult", call, value: 3 });
  assert.equal(await promise, 3);
  assert.deepEqual(results, [3]);
});

test("a failed call goes to the Responder, else it is a status", async () => {
  const { connection, engine } = await connected();
  const heard = codes(connection);
  const errors = [];
  connection.call("no", new Responder(null, (error) => errors.push(error)));
  engine.say({ type: "callResult", call: engine.sent.at(-1).call, error: { code: "NetConnection.Call.Failed" } });
  connection.call("no", null);
  engine.say({ type: "callResult", call: engine.sent.at(-1).call, error: "nope" });
  await settle();
  assert.equal(errors.length, 1);
  assert.deepEqual(heard.slice(1), ["NetConnection.Call.Failed"]);
});

test("calls on a closed connection fail, and pending ones end with it", async () => {
  await assert.rejects(new NetConnection().call("x"), { code: "NetConnection.Call.Failed" });
  const { connection, engine } = await connected();
  const promise = connection.call("x");
  engine.say({ type: "status", info: status("NetConnection.Connect.Closed") });
  await assert.rejects(promise, { code: "NetConnection.Call.Failed" });
});

test("client handlers are called, and what they return is sent back", async () => {
  const { connection, engine } = await connected();
  const heard = [];
  connection.client = { onBWDone: (kbps) => void heard.push(kbps), onBWCheck: async () => 42, broken: () => { throw new TypeError("no"); } };
  engine.say({ type: "invoke", name: "onBWDone", args: [800] });
  engine.say({ type: "invoke", name: "onBWCheck", args: [], reply: 5 });
  engine.say({ type: "invoke", name: "unknown", args: [], reply: 6 });
  await settle();
  assert.deepEqual(heard, [800]);
  assert.deepEqual(engine.sent.filter(({ type }) => type === "reply"), [
    { type: "reply", reply: 5, value: 42 },
    { type: "reply", reply: 6, error: "Method not found (unknown)." },
  ].sort((a, b) => Number("value" in a) - Number("value" in b)));
});

test("a peer reaches no method that is not a handler", async () => {
  const { connection, engine } = await connected();
  class Lesson extends NetConnection {
    hello() {
      return "hello";
    }
  }
  const lesson = new Lesson();
  connection.client = lesson;
  let reply = 1;
  for (const name of ["hello", "close", "connect", "dispatchEvent", "constructor", "toString", "__proto__"]) {
    engine.say({ type: "invoke", name, args: [], reply: reply++ });
  }
  await settle();
  const answers = engine.sent.filter(({ type }) => type === "reply").sort((a, b) => a.reply - b.reply);
  assert.equal(answers[0].value, "hello");
  assert.equal(answers.length, 7);
  assert.ok(answers.slice(1).every(({ error }) => /not found/.test(error)));
});

test("close says goodbye, and the connection may be made again", async () => {
  const { connection, engine } = await connected();
  const heard = codes(connection);
  connection.close();
  assert.equal(connection.connected, false);
  assert.equal(engine.sent.at(-1).type, "close");
  engine.say({ type: "status", info: status("NetConnection.Connect.Closed") });
  await settle();
  assert.equal(engine.terminated, true);
  const count = workers.length;
  const again = connection.connect("wss://school.example/live");
  const next = await worker();
  assert.equal(workers.length, count + 1);
  next.say({ type: "ready" });
  next.say({ type: "status", info: status("NetConnection.Connect.Success") });
  await again;
  await settle();
  assert.deepEqual(heard, ["NetConnection.Connect.Success", "NetConnection.Connect.Closed", "NetConnection.Connect.Success"]);
});

test("close does not wait for a Worker that hangs", async (context) => {
  const { connection } = await connected();
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const heard = codes(connection);
  connection.close();
  context.mock.timers.tick(1000);
  context.mock.timers.reset();
  await settle();
  assert.equal(heard.at(-1), "NetConnection.Connect.Closed");
});

test("a Worker that dies while it closes has closed", async () => {
  const { connection, engine } = await connected();
  const heard = codes(connection);
  connection.close();
  engine.say({ type: "fatal", message: "out of memory" });
  await settle();
  assert.equal(heard.at(-1), "NetConnection.Connect.Closed");
});

test("an https page is told that ws:// will not do", async () => {
  await assert.rejects(new NetConnection().connect("ws://school.example/live"), /wss:/);
});

test("classic names are there", () => {
  assert.equal(NetStatusEvent.NET_STATUS, "netStatus");
  SharedObject.defaultObjectEncoding = ObjectEncoding.AMF0;
  NetConnection.defaultObjectEncoding = ObjectEncoding.AMF3;
  assert.equal(new NetConnection().objectEncoding, 3);
  NetConnection.defaultObjectEncoding = ObjectEncoding.AMF0;
});
