// Runs in every page before its own scripts: reads the camera's barcode and hears its beeps, at the capture and at the player.
// Instants are milliseconds of performance.timeOrigin + performance.now(), which two pages on one machine share.

(() => {
  const now = () => performance.timeOrigin + performance.now();
  const probe = (globalThis.probe = {
    /** {number, at} of each new picture seen at the player's surface, or at the camera on the publishing page. */
    pictures: [],
    /** {at, on} when the flash went on or off. */
    flashes: [],
    /** Instants at which a beep began. */
    beeps: [],
    /** What sounds: the loudest frequency in Hz and its level, newest last. */
    tones: [],
    errors: [],
    watch,
    watchCamera,
  });
  // A canvas of 300 by 150 has had no picture.
  probe.pictured = (surface) => surface.videoWidth > 0 || (surface.width > 0 && !(surface.width === 300 && surface.height === 150));
  addEventListener("error", (event) => probe.errors.push(String(event.message)));
  addEventListener("unhandledrejection", (event) => probe.errors.push(String(event.reason?.stack ?? event.reason)));

  const width = 160;
  const height = 120;
  const bits = 16;

  function reader() {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    return (source) => {
      context.drawImage(source, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      const luma = (x, y) => {
        const i = (Math.floor(y * height) * width + Math.floor(x * width)) * 4;
        return data[i] * 0.3 + data[i + 1] * 0.59 + data[i + 2] * 0.11;
      };
      let number = 0;
      for (let bit = 0; bit < bits; bit++) {
        const x = (bit + 0.5) / bits;
        const upper = luma(x, 1 / 12) > 128;
        const lower = luma(x, 3 / 12) > 128;
        if (upper === lower) return { number: undefined, mean: mean(data) };
        number = number * 2 + (upper ? 1 : 0);
      }
      return { number, flash: luma(0.5, 5 / 6) > 128, mean: mean(data) };
    };
  }

  /** The same from the luma of three lines, so that reading does not convert whole frames. */
  async function readLines(frame) {
    const { width, height } = frame.visibleRect;
    const line = async (y) => {
      const rect = { x: 0, y: Math.floor((y * height) / 2) * 2, width, height: 2 };
      const data = new Uint8Array(frame.allocationSize({ rect }));
      const [{ offset }] = await frame.copyTo(data, { rect });
      return (x) => data[offset + Math.floor(x * width)];
    };
    const [upper, lower, flash] = await Promise.all([line(1 / 12), line(3 / 12), line(5 / 6)]);
    let number = 0;
    for (let bit = 0; bit < bits; bit++) {
      const x = (bit + 0.5) / bits;
      const on = upper(x) > 128;
      if (on === lower(x) > 128) return { number: undefined };
      number = number * 2 + (on ? 1 : 0);
    }
    return { number, flash: flash(0.5) > 128 };
  }

  function mean(data) {
    let sum = 0;
    for (let i = 0; i < data.length; i += 64) sum += data[i] + data[i + 1] + data[i + 2];
    return sum / ((data.length / 64) * 3);
  }

  /** Whether this is a picture that was not there before. */
  function note(log, read, pictures = probe.pictures, at = now()) {
    probe.mean = read.mean;
    if (read.number === undefined) return false;
    const isNew = log.number !== read.number;
    if (isNew) pictures.push({ number: read.number, at });
    if (log.flash !== read.flash) probe.flashes.push({ at, on: read.flash });
    log.number = read.number;
    log.flash = read.flash;
    return isNew;
  }

  /**
   * Reads `surface()` (a canvas or video, asked for anew each time) at every display refresh, into `pictures`; not at the one after a new picture,
   * since the browser copies the whole surface to be read, and 60 times a second that is half a processor at 1280x720.
   */
  function watch(surface, pictures) {
    const read = reader();
    const log = {};
    let rest = false;
    const look = () => {
      const source = !rest && surface();
      rest = false;
      if (source && probe.pictured(source)) {
        try {
          // What is there now: reading a big surface takes a while.
          const at = now();
          rest = note(log, read(source), pictures, at);
          probe.size = [source.videoWidth || source.width, source.videoHeight || source.height];
        } catch (error) {
          probe.errors.push(String(error));
        }
      }
      requestAnimationFrame(look);
    };
    look();
  }

  /** Reads the camera and the microphone themselves, from a clone of each stream that the page's getUserMedia gives. */
  function watchCamera() {
    const devices = navigator.mediaDevices;
    const getUserMedia = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      const stream = await getUserMedia(constraints);
      for (const track of stream.getVideoTracks()) readCamera(track.clone());
      for (const track of stream.getAudioTracks()) hear(track.clone());
      return stream;
    };
  }

  async function readCamera(track) {
    const log = {};
    const frames = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await frames.read();
      if (done) return;
      const at = now();
      note(log, await readLines(frame), probe.pictures, at);
      frame.close();
    }
  }

  /** Hears the microphone where the package takes it: an AudioContext would add its own delay. */
  async function hear(track) {
    const tone = { on: false, quiet: 0 };
    const buffers = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { value: data, done } = await buffers.read();
      if (done) return;
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      listen(tone, samples, data.sampleRate);
      data.close();
    }
  }

  // Whatever a page sends to its speakers is heard here too. The tap puts out silence.
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (destination, ...rest) {
    if (destination === this.context.destination && !this.isTap) {
      const context = this.context;
      // Milliseconds from here to the ear.
      probe.outputLatency = () => (context.outputLatency || context.baseLatency || 0) * 1000;
      const tap = this.context.createScriptProcessor(512, 1, 1);
      tap.isTap = true;
      const tone = { on: false, quiet: 0 };
      tap.onaudioprocess = (event) => listen(tone, event.inputBuffer.getChannelData(0), this.context.sampleRate);
      connect.call(this, tap);
      connect.call(tap, this.context.destination);
    }
    return connect.call(this, destination, ...rest);
  };

  function listen(tone, samples, sampleRate) {
    const level = goertzel(samples, 1000, sampleRate);
    let energy = 0;
    let crossings = 0;
    for (let i = 0; i < samples.length; i++) {
      energy += samples[i] * samples[i];
      if (i && samples[i - 1] < 0 !== samples[i] < 0) crossings++;
    }
    probe.level = Math.sqrt(energy / samples.length);
    if (probe.level > 0.01) {
      probe.tones.push({ hz: (crossings * sampleRate) / (2 * samples.length), level: probe.level, at: now() });
      if (probe.tones.length > 2000) probe.tones.splice(0, 1000);
    }
    const on = level > 0.05;
    if (on && !tone.on && tone.quiet > 10) probe.beeps.push(now());
    tone.quiet = on ? 0 : tone.quiet + 1;
    tone.on = on;
  }

  function goertzel(samples, hz, sampleRate) {
    const coefficient = 2 * Math.cos((2 * Math.PI * hz) / sampleRate);
    let a = 0;
    let b = 0;
    for (const sample of samples) [a, b] = [sample + coefficient * a - b, a];
    return (2 * Math.sqrt(Math.max(0, a * a + b * b - coefficient * a * b))) / samples.length;
  }
})();
