import { describe, expect, it } from 'vitest'
import { layoutGantt } from './gantt'
import type { GanttEvent } from './gantt'

const START = Date.parse('2026-11-20T09:00:00Z')
const at = (ms: number) => new Date(START + ms).toISOString()

function event(service: string, recorded: number, deliveries: [service: string, handled: number | null][]): GanttEvent {
  return {
    eventId: `${service}-${recorded}`,
    eventType: 'OrderPlaced',
    service,
    recordedAt: at(recorded),
    deliveries: deliveries.map(([to, handled]) => ({
      service: to,
      queue: `${to}.queue`,
      outcome: handled === null ? 'waiting' : 'applied',
      handledAt: handled === null ? null : at(handled),
    })),
  }
}

const bars = (gantt: ReturnType<typeof layoutGantt>, service: string) =>
  gantt.lanes.find((lane) => lane.service === service)?.bars ?? []

describe('the chart of a saga', () => {
  it('is empty without events', () => {
    expect(layoutGantt([], 800)).toEqual({ lanes: [], folds: [], ticks: [], width: 800 })
  })

  it('has a lane for each service, in the order of their first appearance', () => {
    const events = [event('cart', 0, [['orders', 10]]), event('orders', 10, [['products', 30]])]
    expect(layoutGantt(events, 800).lanes.map((lane) => lane.service)).toEqual(['cart', 'orders', 'products'])
  })

  it('puts those who only listen last', () => {
    const events = [event('cart', 0, [['analytics', 10]]), event('orders', 10, [])]
    expect(layoutGantt(events, 800).lanes.map((lane) => lane.service)).toEqual(['cart', 'orders', 'analytics'])
  })

  it('draws a bar from the recording to the handling, true to scale', () => {
    const events = [event('cart', 0, [['orders', 100]]), event('orders', 100, [['products', 400]])]
    const gantt = layoutGantt(events, 824)
    expect(bars(gantt, 'orders')[0]).toMatchObject({ left: 12, width: 200 })
    expect(bars(gantt, 'products')[0]).toMatchObject({ left: 212, width: 600 })
  })

  it('keeps what happens at once visible', () => {
    const gantt = layoutGantt([event('cart', 0, [['orders', 0]]), event('orders', 900, [])], 800)
    expect(bars(gantt, 'orders')[0]?.width).toBeGreaterThanOrEqual(6)
  })

  it('folds a long pause, so that what comes before it keeps its room', () => {
    const days = 3 * 86_400_000
    const events = [event('cart', 0, [['orders', 200]]), event('orders', days, [['analytics', days + 100]])]
    const gantt = layoutGantt(events, 800)
    expect(gantt.folds).toHaveLength(1)
    expect(gantt.folds[0]).toMatchObject({ ms: days - 200, width: 64 })
    expect(bars(gantt, 'orders')[0]?.width).toBeGreaterThan(400)
  })

  it('folds the pauses between attempts, too', () => {
    const events = [event('cart', 0, [['orders', 40]]), event('orders', 40, [['payments', 71_040]])]
    const gantt = layoutGantt(events, 800)
    expect(gantt.folds.map((fold) => fold.ms)).toEqual([71_000])
  })

  it('runs on to the edge with what nobody has settled', () => {
    const gantt = layoutGantt([event('cart', 0, [['orders', 100]]), event('orders', 100, [['products', null]])], 800)
    const [bar] = bars(gantt, 'products')
    expect(bar).toMatchObject({ isOpen: true, left: 740, width: 48 })
  })

  it('lets no bar and no name run into another', () => {
    const events = Array.from({ length: 12 }, (_, index) => event('orders', index * 20, [['analytics', index * 20 + 55]]))
    const lane = layoutGantt(events, 700).lanes.find((candidate) => candidate.service === 'analytics')
    expect(lane?.rows).toBeGreaterThan(1)
    for (const one of lane?.bars ?? []) {
      for (const other of lane?.bars ?? []) {
        if (one === other || one.row !== other.row) continue
        expect(one.left + one.width <= other.left || other.left + other.width <= one.left).toBe(true)
      }
    }
  })

  it('finds room for every name: behind its bar, before it, or on it', () => {
    const events = [event('cart', 0, [['orders', 10]]), event('cart', 0, [['analytics', 1000]]), event('orders', 900, [['cart', 1000]])]
    const gantt = layoutGantt(events, 800)
    const labels = gantt.lanes.flatMap((lane) => lane.bars).sort((a, b) => a.event - b.event)
    expect(labels.map((bar) => bar.label)).toEqual(['after', 'inside', 'before'])
  })

  it('stays within its width', () => {
    const events = Array.from({ length: 30 }, (_, index) => event('orders', index ** 5, [['cart', index ** 5 + 3]]))
    const gantt = layoutGantt(events, 640)
    for (const lane of gantt.lanes) {
      for (const bar of lane.bars) expect(bar.left + bar.width).toBeLessThanOrEqual(640)
    }
    for (const tick of gantt.ticks) expect(tick.left).toBeLessThanOrEqual(640)
  })

  it('marks time in round numbers', () => {
    const gantt = layoutGantt([event('cart', 0, [['orders', 250]])], 800)
    expect(gantt.ticks.map((tick) => tick.ms)).toEqual([0, 50, 100, 150, 200, 250])
  })
})
