// The sample lesson as text: writes lesson.ass (slides and captions, for ffmpeg's "ass" filter) and lesson.wav (the voice) into a folder.
// Usage: node lesson.mjs FOLDER
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { arcBand, circle, dot, line, polyline, rainbow, refract, reflect, text, v } from './chalk.mjs'

const out = process.argv[2]
// A multiple of 10.24 s holds a whole number of pictures at 25 a second and of AAC frames at 44.1 kHz, so the loop has no seam.
const LENGTH = 71.68
const RATE = 22050

/** Each slide: what it shows (`draw` gets its start and end) and what is said, in order. */
const slides = [
  {
    draw: (from, to) => [
      ...rainbow.flatMap((colour, i) => arcBand({ at: v(320, 274), radius: 206 - 9 * i, width: 9, colour, from: from + 0.4 + 0.35 * i, to, sweep: 1.6 })),
      circle({ at: v(84, 74), radius: 26, colour: 'ffd76a', from, to }),
      text({ at: v(320, 190), size: 33, colour: 'fdfaf0', bold: true, from: from + 0.4, to }, 'How a rainbow\\Nforms'),
      text({ at: v(320, 250), size: 23, colour: 'ffd76a', from: from + 0.9, to }, '彩虹是怎样形成的'),
    ],
    say: [
      ['Welcome. Today: how a rainbow forms.', '欢迎！今天讲：彩虹是怎样形成的。'],
      ['You need three things: sunlight, raindrops, and your own eyes.', '需要三样东西：阳光、雨滴和你的眼睛。'],
    ],
  },
  {
    title: ['1  Sunlight is a mixture of colours', '阳光由多种颜色混合而成'],
    draw: (from, to) => {
      const [a, b, c] = [v(300, 92), v(218, 234), v(382, 234)]
      const enter = v(257, 166)
      const inward = v(-142, -82).unit()
      const beams = rainbow.map((colour, i) => {
        const inside = refract(v(1, -0.24).unit(), inward, 1 / (1.44 + 0.022 * i))
        const leave = cross(enter, inside, a, c)
        const outside = refract(inside, v(-142, 82).unit(), 1.44 + 0.022 * i)
        return { colour, leave, end: leave.plus(outside.times((560 - leave.x) / outside.x)) }
      })
      return [
        polyline({ points: [a, b, c, a], width: 3, colour: 'dfe9e6', from, to }),
        line({ a: v(40, 218), b: enter, width: 4, colour: 'fdfaf0', from: from + 1, to, grow: 1.5 }),
        text({ at: v(92, 182), size: 16, from: from + 1, to }, 'white light  白光'),
        ...beams.flatMap(({ colour, leave, end }, i) => [
          line({ a: enter, b: leave, width: 1.6, colour, from: from + 2.5, to, grow: 0.5 }),
          line({ a: leave, b: end, width: 3.4, colour, from: from + 3 + 0.25 * i, to, grow: 1.2 }),
        ]),
        text({ at: v(594, beams[0].end.y), size: 16, colour: rainbow[0], from: from + 4.4, to }, 'red 红'),
        text({ at: v(594, beams[6].end.y), size: 16, colour: rainbow[6], from: from + 6, to }, 'violet 紫'),
        ...dot({ path: [v(40, 218), enter, beams[3].leave, beams[3].end], colour: 'fdfaf0', from: from + 6.5, to, period: 3 }),
      ]
    },
    say: [
      ['White light holds every colour of the rainbow.', '白光中包含彩虹的所有颜色。'],
      ['Glass or water bends each colour by a different angle.', '玻璃或水使每种颜色偏折的角度不同。'],
      ['Red bends least, violet bends most.', '红光偏折最少，紫光偏折最多。'],
    ],
  },
  {
    title: ['2  Inside one raindrop', '在一颗雨滴里'],
    draw: (from, to) => {
      const [centre, radius] = [v(380, 150), 64]
      const hit = v(-Math.sqrt(1 - 0.86 ** 2), -0.86)
      const paths = rainbow.map((colour, i) => {
        const n = 1.315 + 0.016 * i
        const inside = refract(v(1, 0), hit, 1 / n)
        const back = hit.plus(inside.times(-2 * hit.dot(inside)))
        const returned = reflect(inside, back)
        const leave = back.plus(returned.times(-2 * back.dot(returned)))
        const outside = refract(returned, leave.times(-1), n)
        const at = (p) => centre.plus(p.times(radius))
        return { colour, points: [at(hit), at(back), at(leave), at(leave.plus(outside.times(1.45)))] }
      })
      const sun = v(60, paths[0].points[0].y)
      return [
        circle({ at: centre, radius, colour: '3d7f96', alpha: '90', from, to }),
        polyline({ points: ring(centre, radius), width: 2.5, colour: 'bfe3ee', from, to }),
        line({ a: sun, b: paths[0].points[0], width: 4, colour: 'fdfaf0', from: from + 0.8, to, grow: 1.2 }),
        ...paths.flatMap(({ colour, points: [p0, p1, p2, p3] }) => [
          line({ a: p0, b: p1, width: 2, colour, from: from + 3.4, to, grow: 1 }),
          line({ a: p1, b: p2, width: 2, colour, from: from + 7, to, grow: 1 }),
          line({ a: p2, b: p3, width: 2.6, colour, from: from + 10, to, grow: 1 }),
        ]),
        text({ at: v(150, sun.y - 16), size: 16, from: from + 0.8, to }, 'sunlight  阳光'),
        text({ at: v(440, 92), size: 16, align: 4, from: from + 3.4, to }, '1  bends in  折射'),
        text({ at: v(458, 150), size: 16, align: 4, from: from + 7, to }, '2  reflects  反射'),
        text({ at: v(420, 232), size: 16, align: 4, from: from + 10, to }, '3  bends out  再折射'),
        ...dot({ path: [sun, ...paths[3].points], colour: 'fdfaf0', from: from + 11.5, to, period: 3 }),
      ]
    },
    say: [
      ['A ray of sunlight enters the raindrop, and bends.', '一束阳光进入雨滴，发生折射。'],
      ['It reflects from the back of the drop,', '它在雨滴的后壁反射，'],
      ['and bends again on its way out: the colours spread apart.', '射出时再次折射：颜色就散开了。'],
    ],
  },
  {
    title: ['3  Each drop sends you one colour', '每颗雨滴只送给你一种颜色'],
    draw: (from, to) => {
      const eye = v(206, 238)
      const drops = [[42, 'red 红', rainbow[0], 1], [31, 'violet 紫', rainbow[6], 4.5]].map(([angle, name, colour, delay]) => {
        const at = eye.plus(v(Math.cos((angle * Math.PI) / 180), -Math.sin((angle * Math.PI) / 180)).times(240))
        return { at, name, colour, delay }
      })
      return [
        line({ a: v(30, 272), b: v(610, 272), width: 2, colour: '8fa89e', from, to }),
        circle({ at: v(62, 92), radius: 22, colour: 'ffd76a', from, to }),
        circle({ at: eye, radius: 8, colour: 'fdfaf0', from, to }),
        polyline({ points: [v(206, 246), v(206, 262), v(198, 272), v(206, 262), v(214, 272)], width: 3, colour: 'fdfaf0', from, to }),
        line({ a: eye, b: v(470, 238), width: 1.2, colour: '8fa89e', from, to }),
        ...drops.flatMap(({ at, name, colour, delay }) => [
          line({ a: v(124, at.y), b: at, width: 2.4, colour: 'fdfaf0', from: from + delay, to, grow: 1 }),
          line({ a: at, b: eye, width: 3.4, colour, from: from + delay + 1, to, grow: 1 }),
          circle({ at, radius: 9, colour: '7fc4dc', from, to }),
          text({ at: at.plus(v(18, 0)), size: 16, colour, align: 4, from: from + delay + 1, to }, name),
        ]),
        text({ at: v(272, 222), size: 18, colour: 'ffd76a', from: from + 2, to }, '42°'),
        text({ at: v(62, 126), size: 15, from, to }, 'sun behind you  太阳在背后'.replace('  ', '\\N')),
        ...dot({ path: [v(124, drops[0].at.y), drops[0].at, eye], colour: 'fdfaf0', from: from + 7, to, period: 2.5 }),
      ]
    },
    say: [
      ['High drops send red light to your eye, at forty-two degrees.', '高处的雨滴以 42° 角把红光送入眼睛。'],
      ['Drops a little lower send violet.', '稍低的雨滴送来紫光。'],
    ],
  },
  {
    title: ['Go and find one', '去找一道彩虹吧'],
    draw: (from, to) => [
      ...rainbow.flatMap((colour, i) => arcBand({ at: v(462, 262), radius: 126 - 7 * i, width: 7, colour, from: from + 0.2 * i, to, sweep: 1.4 })),
      ...[
        ['Sun behind you', '太阳在背后'],
        ['Rain in front of you', '雨在前方'],
        ['Look up 42°', '抬头 42°'],
      ].map(([en, zh], i) => text({ at: v(40, 114 + 52 * i), size: 22, align: 4, from: from + 0.6 + 1.5 * i, to }, `{\\c&H6AD7FF&}✓{\\c&HF0FAFD&}  ${en}  {\\fs17\\c&HC8D8D0&}${zh}`)),
    ],
    say: [
      ['So: sun behind you, rain in front, and look up.', '所以：太阳在背后，雨在前方，抬头看。'],
      ['Goodbye, and happy rainbow hunting!', '再见，祝你找到彩虹！'],
    ],
  },
]

/** Where the ray from `p` along `d` crosses the line through `a` and `b`. */
function cross(p, d, a, b) {
  const e = b.plus(a.times(-1))
  const w = a.plus(p.times(-1))
  return p.plus(d.times((w.x * e.y - w.y * e.x) / (d.x * e.y - d.y * e.x)))
}

function ring(centre, radius) {
  return Array.from({ length: 61 }, (_, i) => centre.plus(v(Math.cos((i * Math.PI) / 30), Math.sin((i * Math.PI) / 30)).times(radius)))
}

/** One sentence as 16-bit samples at RATE. */
function speak(sentence) {
  const wav = execFileSync('espeak-ng', ['-v', 'en-us', '-s', '150', '-p', '42', '-g', '2', '--stdout', sentence], { maxBuffer: 1 << 26 })
  return new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + 44 + ((wav.length - 44) & ~1)))
}

const voice = slides.map((slide) => slide.say.map(([en]) => speak(en)))
const spoken = voice.flat().reduce((sum, samples) => sum + samples.length / RATE, 0)
const sentences = voice.flat().length
// What the voice leaves over is shared out: 1.2 s before and after each slide, the rest between sentences.
const pause = (LENGTH - spoken - 2.4 * slides.length) / (sentences - slides.length)
if (pause < 0.3) throw new Error(`the lesson is too long: ${spoken.toFixed(1)} s of speech`)

const samples = new Int16Array(Math.round(LENGTH * RATE))
const events = []
let now = 0
slides.forEach((slide, s) => {
  const from = now
  now += 1.2
  const captions = slide.say.map(([en, zh], i) => {
    samples.set(voice[s][i], Math.round(now * RATE))
    const start = now
    now += voice[s][i].length / RATE + (i + 1 < slide.say.length ? pause : 1.2)
    return { start, end: now, en, zh }
  })
  const to = s + 1 < slides.length ? now : LENGTH
  if (slide.title) {
    events.push(text({ at: v(32, 36), size: 25, bold: true, align: 4, from, to }, `${slide.title[0]}  {\\fs19\\c&H6AD7FF&}${slide.title[1]}`))
  }
  events.push(...slide.draw(from, to))
  for (const { start, end, en, zh } of captions) {
    events.push(text({ at: v(320, 302), size: 17, from: start, to: end - 0.1 }, en), text({ at: v(320, 327), size: 18, colour: 'ffd76a', from: start, to: end - 0.1 }, zh))
  }
  events.push(text({ at: v(612, 36), size: 15, colour: '8fa89e', align: 6, from, to }, `${s + 1} / ${slides.length}`))
})
// The bar at the bottom moves all the time, so that one sees at once whether the picture is live.
events.push(line({ a: v(0, 356), b: v(640, 356), width: 8, colour: '12302b', from: 0, to: LENGTH }))
events.push(line({ a: v(0, 356), b: v(640, 356), width: 8, colour: 'ffd76a', from: 0, to: LENGTH, grow: LENGTH }))

writeFileSync(
  `${out}/lesson.ass`,
  `[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360
WrapStyle: 2
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Noto Sans CJK SC,20,&H00F0FAFD,&H00F0FAFD,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,5,0,0,0,1
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
${events.flat().join('\n')}
`,
)
const header = Buffer.alloc(44)
header.write('RIFF', 0)
header.writeUInt32LE(36 + samples.byteLength, 4)
header.write('WAVEfmt ', 8)
header.writeUInt32LE(16, 16)
header.writeUInt16LE(1, 20)
header.writeUInt16LE(1, 22)
header.writeUInt32LE(RATE, 24)
header.writeUInt32LE(RATE * 2, 28)
header.writeUInt16LE(2, 32)
header.writeUInt16LE(16, 34)
header.write('data', 36)
header.writeUInt32LE(samples.byteLength, 40)
writeFileSync(`${out}/lesson.wav`, Buffer.concat([header, Buffer.from(samples.buffer)]))
console.log(`${spoken.toFixed(1)} s of speech, ${pause.toFixed(2)} s between sentences, ${LENGTH} s in all`)
