// Drawing with ASS subtitles: shapes are polygons ("\p1"), growing lines are clips that widen ("\t(\clip)"). Times in seconds, sizes in pixels.

/** Red to violet. */
export const rainbow = ['ff5a5f', 'ff9a3c', 'ffe04d', '6fdc6f', '4cc9f0', '5f7cff', 'b26bff']

/** A point or direction; y goes down, as on the screen. */
export const v = (x, y) => ({
  x,
  y,
  plus: (o) => v(x + o.x, y + o.y),
  times: (k) => v(x * k, y * k),
  dot: (o) => x * o.x + y * o.y,
  unit: () => v(x / Math.hypot(x, y), y / Math.hypot(x, y)),
})

/** Snell's law: direction `d` through a surface whose `normal` (either way round) it meets; `ratio` is n1 / n2. */
export function refract(d, normal, ratio) {
  const n = d.dot(normal) > 0 ? normal.times(-1) : normal
  const cos = -d.dot(n)
  return d.times(ratio).plus(n.times(ratio * cos - Math.sqrt(1 - ratio ** 2 * (1 - cos ** 2))))
}

export const reflect = (d, normal) => d.plus(normal.times(-2 * d.dot(normal)))

/** Words, centred on `at` unless `align` says otherwise (as on a number pad). */
export function text({ at, size, colour = 'fdfaf0', bold = false, align = 5, from, to }, words) {
  return event(2, from, to, `{\\an${align}\\pos(${px(at.x)},${px(at.y)})\\fs${size}\\b${bold ? 1 : 0}\\c${bgr(colour)}\\fad(250,150)}${words}`)
}

/** A filled circle. */
export function circle({ at, radius, colour, alpha = '00', from, to }) {
  return shape(0, { colour, alpha, from, to }, [...Array(48).keys()].map((i) => around(at, radius, (i * Math.PI) / 24)))
}

/** A stroke from `a` to `b`, drawn within `grow` seconds from `a` on. */
export function line({ a, b, width, colour, from, to, grow = 0 }) {
  const side = v(a.y - b.y, b.x - a.x).unit().times(width / 2)
  const corners = [a.plus(side), b.plus(side), b.plus(side.times(-1)), a.plus(side.times(-1))]
  return shape(1, { colour, from, to, reveal: grow && wipe(a, b, width, grow) }, corners)
}

/** Strokes through `points`. */
export function polyline({ points, ...style }) {
  return points.slice(1).map((b, i) => line({ a: points[i], b, ...style }))
}

/** The upper half of a ring, drawn from left to right within `sweep` seconds. */
export function arcBand({ at, radius, width, colour, from, to, sweep }) {
  const angles = [...Array(61).keys()].map((i) => Math.PI + (i * Math.PI) / 60)
  const points = [...angles.map((t) => around(at, radius, t)), ...angles.reverse().map((t) => around(at, radius - width, t))]
  const left = at.plus(v(-radius, 0))
  return [shape(0, { colour, from, to, reveal: wipe(left, left.plus(v(2 * radius, 0)), 2 * radius + 8, sweep) }, points)]
}

/** A dot that runs along `path` again and again, once in `period` seconds. */
export function dot({ path, colour, from, to, period }) {
  const lengths = path.slice(1).map((b, i) => Math.hypot(b.x - path[i].x, b.y - path[i].y))
  const total = lengths.reduce((a, b) => a + b)
  const legs = []
  for (let start = from; start < to; start += period) {
    let t = start
    path.slice(1).forEach((b, i) => {
      const end = Math.min(t + (period * lengths[i]) / total, to)
      const move = `\\move(${px(path[i].x)},${px(path[i].y)},${px(b.x)},${px(b.y)})`
      if (t < to) legs.push(event(3, t, end, `{\\an7${move}\\c${bgr(colour)}\\p1}${outline([...Array(16).keys()].map((k) => around(v(0, 0), 5, (k * Math.PI) / 8)))}`))
      t = end
    })
  }
  return legs
}

function shape(layer, { colour, alpha = '00', from, to, reveal }, points) {
  return event(layer, from, to, `{\\an7\\pos(0,0)\\c${bgr(colour)}\\1a&H${alpha}&\\fad(150,150)${reveal || ''}\\p1}${outline(points)}`)
}

/** A clip that opens from `a` to `b`. */
function wipe(a, b, width, seconds) {
  const box = (p, q) => [Math.min(p.x, q.x), Math.min(p.y, q.y), Math.max(p.x, q.x), Math.max(p.y, q.y)].map((n, i) => Math.round(n + (i < 2 ? -width : width)))
  const level = Math.abs(b.x - a.x) >= Math.abs(b.y - a.y)
  const [x0, y0, x1, y1] = box(a, b)
  const start = level ? (b.x > a.x ? [x0, y0, x0, y1] : [x1, y0, x1, y1]) : b.y > a.y ? [x0, y0, x1, y0] : [x0, y1, x1, y1]
  return `\\clip(${start})\\t(0,${Math.round(seconds * 1000)},\\clip(${[x0, y0, x1, y1]}))`
}

const around = (at, radius, angle) => at.plus(v(Math.cos(angle), Math.sin(angle)).times(radius))
const outline = (points) => points.map((p, i) => `${i ? 'l' : 'm'} ${px(p.x)} ${px(p.y)}`).join(' ')
const px = (n) => n.toFixed(2).replace(/\.?0+$/, '')
const bgr = (rgb) => `&H${rgb.slice(4)}${rgb.slice(2, 4)}${rgb.slice(0, 2)}&`.toUpperCase()
const clock = (s) => `${Math.floor(s / 3600)}:${String(Math.floor(s / 60) % 60).padStart(2, '0')}:${(s % 60).toFixed(2).padStart(5, '0')}`
const event = (layer, from, to, what) => `Dialogue: ${layer},${clock(from)},${clock(to)},Default,,0,0,0,,${what}`
