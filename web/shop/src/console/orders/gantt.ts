/** What the chart needs to know of an event; the gateway's `SagaEvent` has it all. */
export interface GanttEvent {
  eventId: string
  eventType: string
  service: string
  recordedAt: string
  deliveries: readonly GanttDelivery[]
}

export interface GanttDelivery {
  service: string
  queue: string
  outcome: string
  handledAt: string | null
}

/** A delivery, from the recording of its event to its handling. Lengths are pixels, `row` counts within the lane. */
export interface Bar {
  event: number
  delivery: number
  row: number
  left: number
  width: number
  /** Nobody has settled it yet: the bar runs on to the edge. */
  isOpen: boolean
  /** Where the name stands: behind the bar, else before it, else on it. */
  label: 'after' | 'before' | 'inside'
}

/** The recording of an event. */
export interface Mark {
  event: number
  left: number
}

/** One service: what it recorded, and what it handled. */
export interface Lane {
  service: string
  rows: number
  bars: Bar[]
  marks: Mark[]
}

/** A stretch of time in which nothing happened, folded to a fixed width. */
export interface Fold {
  left: number
  width: number
  ms: number
}

export interface Tick {
  left: number
  /** Since the first event. */
  ms: number
}

export interface Gantt {
  lanes: Lane[]
  folds: Fold[]
  ticks: Tick[]
  width: number
}

/** A pause shorter than this is drawn as it is. */
const SHORTEST_FOLD_MS = 1_000
/** A longer one is folded if it is longer than this many times all that is not folded. */
const FOLD_ABOVE = 2
const FOLD_WIDTH = 64
/** Left free at the right edge for bars that nobody has settled yet. */
const OPEN_WIDTH = 48
const NARROWEST_BAR = 6
const SIDE = 12
const CHARACTER_WIDTH = 6.6
const LABEL_GAP = 14
const TICK_EVERY_PX = 110
const NICE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000]

/**
 * Where everything stands in the chart of a saga.
 *
 * Time runs to the right, evenly, but for long pauses: an order is confirmed within a second and shipped days later, and
 * a message is tried again after a minute. Such pauses become folds of one width, so that what happens stays visible.
 */
export function layoutGantt(events: readonly GanttEvent[], width: number): Gantt {
  const times = [...new Set(events.flatMap(timesOf))].sort((a, b) => a - b)
  const [first] = times
  if (first === undefined) return { lanes: [], folds: [], ticks: [], width }

  const hasOpen = events.some(({ deliveries }) => deliveries.some(({ handledAt }) => handledAt === null))
  const scale = foldedScale(times, hasOpen ? width - OPEN_WIDTH : width)
  return { lanes: lanesOf(events, scale, width), folds: scale.folds, ticks: ticksOf(scale, first), width }
}

function timesOf(event: GanttEvent): number[] {
  const handled = event.deliveries.flatMap(({ handledAt }) => (handledAt ? [Date.parse(handledAt)] : []))
  return [Date.parse(event.recordedAt), ...handled]
}

interface Stretch {
  from: number
  to: number
  left: number
  width: number
  isFolded: boolean
}

interface Scale {
  stretches: Stretch[]
  folds: Fold[]
  at: (time: number) => number
}

/** Cuts the time between its points into stretches that are drawn evenly, and folds between them. */
function foldedScale(times: readonly number[], width: number): Scale {
  const gaps = times.slice(1).map((to, index) => ({ from: times[index] ?? to, to, ms: to - (times[index] ?? to) }))
  const folded = foldedGaps(gaps.map((gap) => gap.ms))
  const shown = gaps.reduce((sum, { ms }) => (folded.has(ms) ? sum : sum + ms), 0)
  const foldCount = gaps.filter(({ ms }) => folded.has(ms)).length
  // A chart with many pauses has narrower ones.
  const foldWidth = Math.min(FOLD_WIDTH, foldCount > 0 ? (width * 0.5) / foldCount : FOLD_WIDTH)
  const pixelsPerMs = Math.max(width - 2 * SIDE - foldCount * foldWidth, 0) / Math.max(shown, 1)

  let left = SIDE
  const stretches = gaps.map(({ from, to, ms }): Stretch => {
    const isFolded = folded.has(ms)
    const stretch = { from, to, left, width: isFolded ? foldWidth : ms * pixelsPerMs, isFolded }
    left += stretch.width
    return stretch
  })

  const at = (time: number) => {
    const stretch = stretches.find(({ to }) => time <= to) ?? stretches.at(-1)
    if (!stretch) return SIDE
    const share = (time - stretch.from) / Math.max(stretch.to - stretch.from, 1)
    return stretch.left + Math.min(Math.max(share, 0), 1) * stretch.width
  }
  const folds = stretches
    .filter((stretch) => stretch.isFolded)
    .map(({ left, width, from, to }) => ({ left, width, ms: to - from }))
  return { stretches, folds, at }
}

/** Lengths of pauses that would squeeze everything else: the shorter ones are kept, from the shortest on. */
function foldedGaps(lengths: readonly number[]): Set<number> {
  const folded = new Set<number>()
  let kept = 0
  for (const length of [...lengths].sort((a, b) => a - b)) {
    if (length >= SHORTEST_FOLD_MS && length > FOLD_ABOVE * kept) folded.add(length)
    else kept += length
  }
  return folded
}

function lanesOf(events: readonly GanttEvent[], scale: Scale, width: number): Lane[] {
  const lanes = new Map<string, Lane>()
  const laneOf = (service: string) => {
    const lane = lanes.get(service) ?? { service, rows: 1, bars: [], marks: [] }
    lanes.set(service, lane)
    return lane
  }

  for (const [index, event] of events.entries()) {
    laneOf(event.service).marks.push({ event: index, left: scale.at(Date.parse(event.recordedAt)) })
    for (const [delivery, { service, handledAt }] of event.deliveries.entries()) {
      const left = scale.at(Date.parse(event.recordedAt))
      const end = handledAt ? scale.at(Date.parse(handledAt)) : width - SIDE
      const bar = { event: index, delivery, row: 0, left, width: Math.max(end - left, NARROWEST_BAR) }
      const label = labelSide(bar, event.eventType, width)
      laneOf(service).bars.push({ ...bar, isOpen: handledAt === null, label })
    }
  }
  for (const lane of lanes.values()) stack(lane, events)
  // Who only listens, as statistics do, stands below those who act.
  return [...lanes.values()].sort((a, b) => Number(a.marks.length === 0) - Number(b.marks.length === 0))
}

const labelWidth = (text: string) => text.length * CHARACTER_WIDTH + LABEL_GAP

function labelSide(bar: { left: number; width: number }, name: string, width: number): Bar['label'] {
  if (bar.left + bar.width + labelWidth(name) <= width) return 'after'
  return bar.left >= labelWidth(name) ? 'before' : 'inside'
}

/** Gives each bar the first row in which neither it nor its name runs into another. */
function stack(lane: Lane, events: readonly GanttEvent[]) {
  const taken: [from: number, to: number][][] = []
  for (const bar of lane.bars) {
    const name = labelWidth(events[bar.event]?.eventType ?? '')
    const from = bar.label === 'before' ? bar.left - name : bar.left
    const to = bar.left + bar.width + (bar.label === 'after' ? name : 0)
    const free = taken.findIndex((row) => row.every(([start, end]) => to <= start || from >= end))
    bar.row = free === -1 ? taken.length : free
    taken[bar.row] = [...(taken[bar.row] ?? []), [from, to]]
  }
  lane.rows = Math.max(taken.length, 1)
}

/** Round distances in time, as far apart as they can be read; and each end of a fold. */
function ticksOf({ stretches, at }: Scale, first: number): Tick[] {
  const ticks: Tick[] = [{ left: at(first), ms: 0 }]
  for (const run of runsOf(stretches)) {
    const pixelsPerMs = run.width / Math.max(run.to - run.from, 1)
    const step = NICE_STEPS.find((candidate) => candidate * pixelsPerMs >= TICK_EVERY_PX)
    if (!step) continue
    for (let time = run.from + step; time <= run.to; time += step) ticks.push({ left: at(time), ms: time - first })
  }
  return ticks
}

/** Neighbouring stretches without a fold between them. */
function runsOf(stretches: readonly Stretch[]): { from: number; to: number; width: number }[] {
  const runs: { from: number; to: number; width: number }[] = []
  let isJoined = false
  for (const stretch of stretches) {
    const run = runs.at(-1)
    if (stretch.isFolded) isJoined = false
    else if (isJoined && run) Object.assign(run, { to: stretch.to, width: run.width + stretch.width })
    else {
      runs.push({ from: stretch.from, to: stretch.to, width: stretch.width })
      isJoined = true
    }
  }
  return runs
}
