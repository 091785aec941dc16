import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { codes, load, settle, status, worker } from "./fake.mjs";

const { Camera, Microphone, NetConnection, NetStream, configure } = await load();
configure({ workerUrl: "https://school.example/worker.js" });

class Track extends EventTarget {
  stopped = false;
  constructor(kind) {
    super();
    this.kind = kind;
    this.label = `a ${kind}`;
  }
  getSettings() {
    return this.kind === "video" ? { width: 640, height: 360, frameRate: 30 } : { channelCount: 1, sampleRate: 48000 };
  }
  async applyConstraints(constraints) {
    this.constraints = constraints;
  }
  stop() {
    this.stopped = true;
  }
}

globalThis.MediaStreamTrackProcessor = class {
  readable = new ReadableStream({ pull: (frames) => frames.enqueue({ close() {} }) });
};

let asked, tracks, answer;
const mediaDevices = {
  async getUserMedia(constraints) {
    asked.push(Object.keys(constraints).sort());
    await answer?.(constraints);
    const made = Object.keys(constraints).map((kind) => new Track(kind));
    tracks.push(...made);
    const of = (kind) => made.filter((track) => track.kind === kind);
    return { getAudioTracks: () => of("audio"), getVideoTracks: () => of("video") };
  },
  async enumerateDevices() {
    return [{ kind: "videoinput", deviceId: "a", label: "Front" }, { kind: "videoinput", deviceId: "b", label: "Back" }];
  },
};
Object.defineProperty(globalThis, "navigator", { value: { mediaDevices, language: "en" }, configurable: true });

beforeEach(() => {
  asked = [];
  tracks = [];
  answer = null;
});

async function connected() {
  const connection = new NetConnection();
  connection.connect("wss://school.example/live");
  const engine = await worker();
  // A readable is moved, not copied, which the fake cannot do.
  engine.postMessage = (message) => engine.sent.push({ ...message });
  engine.say({ type: "ready" });
  engine.say({ type: "status", info: status("NetConnection.Connect.Success") });
  return { connection, engine };
}

/** A camera of its own for each test: the package keeps one per name. */
let next = 0;
const camera = () => Camera.getCamera(`camera-${next++}`);
const microphone = () => Microphone.getMicrophone(`microphone-${next++}`);

test("the classic order of calls asks once and publishes when both are there", async () => {
  const { connection, engine } = await connected();
  const stream = new NetStream(connection);
  const [eye, ear] = [camera(), microphone()];
  eye.setMode(320, 240, 15);
  eye.setQuality(100 * 1000, 90);
  ear.setUseEchoSuppression(true);
  let allow;
  answer = () => new Promise((resolve) => (allow = resolve));
  stream.attachAudio(ear);
  stream.attachCamera(eye);
  const promise = stream.publish("conf", "live");
  stream.send("onHello", "class");
  await settle();
  assert.deepEqual(asked, [["audio", "video"]]);
  assert.deepEqual(engine.types(), ["connect", "createStream"]);
  allow();
  await settle();
  assert.deepEqual(engine.types().slice(2).sort(), ["audioSource", "publish", "send", "videoSource"]);
  assert.deepEqual(engine.types().slice(-2), ["publish", "send"]);
  const { settings } = engine.sent.find(({ type }) => type === "videoSource");
  assert.deepEqual([settings.width, settings.height], [320, 180], "the camera's own shape, within the size asked for");
  assert.equal(settings.frameRate, 15);
  assert.ok(settings.bitrate <= 800_000);
  assert.equal(settings.keyFrameInterval, 2);
  engine.say({ type: "status", stream: 1, info: status("NetStream.Publish.Start") });
  assert.equal((await promise).code, "NetStream.Publish.Start");
});

test("without a camera the microphone is still published, and the refusal is told", async () => {
  const { connection, engine } = await connected();
  const stream = new NetStream(connection);
  const heard = codes(stream);
  answer = ({ video }) => {
    if (video) throw new DOMException("", "NotFoundError");
  };
  stream.attachCamera(camera());
  stream.attachAudio(microphone());
  stream.publish("conf");
  await settle();
  await settle();
  assert.deepEqual(asked, [["audio", "video"], ["video"], ["audio"]]);
  assert.deepEqual(heard, ["Camera.Muted"]);
  assert.deepEqual(engine.types().slice(-2), ["audioSource", "publish"]);
});

test("everything refused: nothing is published, and asking again asks the user again", async () => {
  const { connection, engine } = await connected();
  const stream = new NetStream(connection);
  const infos = [];
  stream.addEventListener("netStatus", ({ info }) => infos.push(info));
  answer = () => {
    throw new DOMException("", "NotAllowedError");
  };
  stream.attachCamera(camera());
  await assert.rejects(stream.publish("conf"), { code: "NetStream.Failed" });
  assert.equal(infos[0].code, "Camera.Muted");
  assert.equal(infos[0].reason, "denied");
  assert.ok(!engine.types().includes("publish"));
  answer = null;
  stream.publish("conf");
  await settle();
  assert.deepEqual(engine.types().slice(-2), ["videoSource", "publish"]);
});

test("the track is stopped when its last user lets it go", async () => {
  const { connection } = await connected();
  const [first, second] = [new NetStream(connection), new NetStream(connection)];
  const eye = camera();
  first.attachCamera(eye);
  second.attachCamera(eye);
  await settle();
  assert.equal(tracks.length, 1);
  first.attachCamera(null);
  assert.equal(tracks[0].stopped, false);
  second.dispose();
  assert.equal(tracks[0].stopped, true);
  assert.equal(eye.muted, true);
});

test("a change of mode reaches the track and the engine", async () => {
  const { connection, engine } = await connected();
  const stream = new NetStream(connection);
  const eye = camera();
  stream.attachCamera(eye);
  await settle();
  eye.setMode(160, 90, 10);
  assert.deepEqual(tracks[0].constraints.width, { ideal: 160 });
  const settings = engine.sent.at(-1);
  assert.equal(settings.type, "videoSettings");
  assert.deepEqual([settings.settings.width, settings.settings.height, settings.settings.frameRate], [160, 90, 10]);
});

test("a camera that is unplugged is told once, and its source ends", async () => {
  const { connection, engine } = await connected();
  const stream = new NetStream(connection);
  const heard = codes(stream);
  stream.attachCamera(camera());
  await settle();
  tracks[0].dispatchEvent(new Event("ended"));
  await settle();
  assert.deepEqual(heard, ["Camera.Muted"]);
  assert.deepEqual(engine.sent.at(-1), { type: "sourceEnded", stream: 1, kind: "video" });
});

test("getCamera gives one object per name, and an index means the browser's order", async () => {
  assert.equal(Camera.getCamera("0"), Camera.getCamera());
  assert.deepEqual(await Camera.devices(), [{ id: "a", label: "Front" }, { id: "b", label: "Back" }]);
  assert.deepEqual(Camera.names, ["Front", "Back"]);
});

test("nonsense is refused at once", () => {
  assert.throws(() => camera().setMode(0, 240, 15), RangeError);
  assert.throws(() => (microphone().rate = 7), RangeError);
});
