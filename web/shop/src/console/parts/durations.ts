const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

type UnitFormat = (value: number, unit: string, digits?: number) => string

/** A span of time in the two largest units that say something: `12ms`, `1.4s`, `3m 5s`, `2d 4h`. */
export function inWords(ms: number, format: UnitFormat): string {
  const span = Math.max(Math.round(ms), 0)
  if (span < SECOND_MS) return format(span, 'millisecond')
  if (span < MINUTE_MS) return format(span / SECOND_MS, 'second', span < 10 * SECOND_MS ? 1 : 0)
  const units = [
    [DAY_MS, 'day'],
    [HOUR_MS, 'hour'],
    [MINUTE_MS, 'minute'],
    [SECOND_MS, 'second'],
  ] as const
  const first = units.findIndex(([length]) => span >= length)
  const [[large, largeName], small] = [units[first] ?? units[3], units[first + 1]]
  const rest = small ? Math.floor((span % large) / small[0]) : 0
  const whole = format(Math.floor(span / large), largeName)
  return rest > 0 && small ? `${whole} ${format(rest, small[1])}` : whole
}

/** A span of time as one number, in the unit in which people would say it. */
export function scaleOf(ms: number): { value: number; unit: 'second' | 'minute' | 'hour' | 'day' } {
  const span = Math.abs(ms)
  const units = [
    ['day', DAY_MS],
    ['hour', HOUR_MS],
    ['minute', MINUTE_MS],
  ] as const
  const [unit, length] = units.find(([, length]) => span >= length) ?? (['second', SECOND_MS] as const)
  return { value: Math.round(ms / length), unit }
}
