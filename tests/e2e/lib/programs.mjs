// The gateway, nginx-rtmp and ffmpeg as the tests run them: on free ports, stopped when the test ends.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scratch } from "./browsers.mjs";
import { until } from "./until.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const LESSON = join(ROOT, "examples/lesson/lesson.flv");

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a program; `stop()` ends it (also when the test `t` does), `log()` is what it printed, `ended` its exit code. */
export function run(t, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let text = "";
  const keep = (data) => (text = (text + data).slice(-200_000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  const program = {
    child,
    ended,
    log: () => text,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const patience = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended.finally(() => clearTimeout(patience));
    },
  };
  ended.catch(() => {});
  t.after(() => program.stop());
  return program;
}

export function chalkcast() {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");
  const built = [process.env.CHALKCAST_BIN, join(target, "release/chalkcast"), join(target, "debug/chalkcast")];
  const path = built.find((candidate) => candidate && existsSync(candidate));
  if (!path) throw new Error("the gateway is not built: cargo build -p chalkcast-gateway");
  return path;
}

/** A gateway that answers: `http`, `ws` and `rtmp` are its addresses. Pass ports to start it where another was, and 0.0.0.0 as `host` to let others in. */
export async function gateway(t, { args = [], host = "127.0.0.1", httpPort, rtmpPort } = {}) {
  httpPort ??= await freePort();
  rtmpPort ??= await freePort();
  const program = run(t, chalkcast(), ["serve", "--http", `${host}:${httpPort}`, "--rtmp", `127.0.0.1:${rtmpPort}`, ...args]);
  await answers(httpPort, program);
  await answers(rtmpPort, program);
  return {
    ...program,
    httpPort,
    rtmpPort,
    http: `http://localhost:${httpPort}`,
    ws: `ws://localhost:${httpPort}`,
    rtmp: `rtmp://127.0.0.1:${rtmpPort}`,
  };
}

/** nginx-rtmp as examples/beside-nginx-rtmp sets it up, on a free port: the module's default settings. */
export async function nginx(t) {
  const dir = scratch(t);
  const port = await freePort();
  const conf = readFileSync(join(ROOT, "examples/beside-nginx-rtmp/nginx.conf"), "utf8");
  if (!/listen\s+\S+;/.test(conf)) throw new Error("examples/beside-nginx-rtmp/nginx.conf listens nowhere");
  const path = join(dir, "nginx.conf");
  writeFileSync(path, conf.replace(/listen\s+\S+;/, `listen 127.0.0.1:${port};`));
  const start = () => run(t, "/usr/sbin/nginx", ["-p", dir, "-c", path, "-e", join(dir, "error.log"), "-g", `daemon off; pid ${dir}/nginx.pid;`]);
  const program = start();
  await answers(port, program);
  return { ...program, port, url: `rtmp://127.0.0.1:${port}` };
}

/** The relay a lesson goes through: "embedded", or "nginx-rtmp" behind the gateway. */
export async function gatewayWith(t, relay, options = {}) {
  if (relay === "embedded") return gateway(t, options);
  return gatewayBefore(t, await nginx(t), options);
}

/** A gateway whose relay is the given nginx. */
export function gatewayBefore(t, behind, options = {}) {
  return gateway(t, { ...options, args: [...(options.args ?? []), "--relay", `${behind.url}/{app}`] });
}

async function answers(port, program) {
  await until(
    `port ${port} answers`,
    async () => {
      if (program.child.exitCode !== null) throw new Error(`it ended with ${program.child.exitCode}`);
      const socket = connect(port, "127.0.0.1");
      try {
        await once(socket, "connect");
        return true;
      } finally {
        socket.destroy();
      }
    },
    { seconds: 15, log: program.log },
  );
}

/** ffmpeg with `args`; give it `-t` or a file that ends, or stop it. */
export function ffmpeg(t, args) {
  return run(t, "ffmpeg", ["-hide_banner", "-nostdin", "-y", "-loglevel", "warning", ...args]);
}

/** Pulls `seconds` of `url` without re-encoding, and says what it is. */
export async function record(t, url, seconds) {
  const path = join(scratch(t), "pulled.flv");
  const pull = ffmpeg(t, ["-rw_timeout", "20000000", "-i", url, "-c", "copy", "-t", String(seconds), path]);
  const code = await pull.ended;
  if (code !== 0) throw new Error(`ffmpeg could not pull ${url}: ${pull.log()}`);
  return examine(t, path);
}

/** What a recording is: streams, packets, and what ffmpeg grumbles about when it decodes it. */
export async function examine(t, path) {
  const probe = run(t, "ffprobe", ["-v", "error", "-show_streams", "-show_packets", "-of", "json", path]);
  let json = "";
  probe.child.stdout.on("data", (data) => (json += data));
  await probe.ended;
  const { streams, packets } = JSON.parse(json);
  // Each picture at its own time: by default the null muxer counts in frames, and grumbles of two that a camera gave within one.
  const decode = run(t, "ffmpeg", ["-v", "warning", "-xerror", "-i", path, "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "null", "-"]);
  const decoded = await decode.ended;
  return { path, streams, packets, decodeErrors: decode.log() + (decoded === 0 ? "" : `exit ${decoded}`) };
}

/** H.264 and AAC, each rising in time, and decoded without a word. Data messages, which a recording may hold, are streams of their own. */
export function assertClean({ streams, packets, decodeErrors }) {
  const media = streams.filter((stream) => ["audio", "video"].includes(stream.codec_type));
  assert.deepEqual(media.map((stream) => stream.codec_name).sort(), ["aac", "h264"]);
  for (const stream of media) {
    const times = packets.filter((packet) => packet.stream_index === stream.index).map((packet) => Number(packet.dts_time));
    assert.ok(times.length > 60, `${times.length} ${stream.codec_name} packets`);
    for (let i = 1; i < times.length; i++) assert.ok(times[i] > times[i - 1], `${stream.codec_name} dts ${times[i]} after ${times[i - 1]}`);
  }
  assert.equal(decodeErrors, "");
}

/** Publishes a test picture and a 1 kHz tone until stopped; H.264 without B-frames and AAC, a keyframe each `gop` seconds. */
export function publishTestCard(t, url, { gop = 1, rate = 30, size = "320x240" } = {}) {
  return ffmpeg(t, [
    "-re", "-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}`, "-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=44100",
    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", String(gop * rate), "-b:v", "400k",
    "-c:a", "aac", "-b:a", "64k", "-f", "flv", url,
  ]);
}
