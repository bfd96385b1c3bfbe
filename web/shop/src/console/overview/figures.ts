import type { ResultOf } from '@/graphql/tada'
import { digitsOf, toMinor } from '../money'
import type { ReportsQuery } from './documents'

type Reports = ResultOf<typeof ReportsQuery>['reports']

const DAY_MS = 86_400_000

export interface Day {
  /** `2026-11-20` */
  day: string
  orders: number
  /** In the smallest unit of the currency. */
  revenueMinor: number
}

/** The days from the first to the last, without gaps: a day without a sale is a zero, not a missing bar. */
export function everyDay(sales: Reports['salesPerDay'], today: Date, days: number): Day[] {
  const currency = mainCurrency(sales)
  const digits = digitsOfRevenue(sales)
  const byDay = new Map<string, Day>()
  for (const { day, orders, revenue } of sales) {
    const known = byDay.get(day) ?? { day, orders: 0, revenueMinor: 0 }
    known.orders += orders
    if (revenue.currencyCode === currency) known.revenueMinor += Number(toMinor(revenue.amount, digits))
    byDay.set(day, known)
  }
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(today.getTime() - (days - 1 - index) * DAY_MS).toISOString().slice(0, 10)
    return byDay.get(day) ?? { day, orders: 0, revenueMinor: 0 }
  })
}

/** The currency in which most was sold: sums of several say nothing. */
export function mainCurrency(sales: Reports['salesPerDay']): string {
  const counts = new Map<string, number>()
  for (const { orders, revenue } of sales) {
    counts.set(revenue.currencyCode, (counts.get(revenue.currencyCode) ?? 0) + orders)
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return most?.[0] ?? 'EUR'
}

/** How many digits what was sold in the main currency has behind the point. */
export function digitsOfRevenue(sales: Reports['salesPerDay']): number {
  const currency = mainCurrency(sales)
  const own = sales.filter(({ revenue }) => revenue.currencyCode === currency)
  return Math.max(0, ...own.map(({ revenue }) => digitsOf(revenue.amount)))
}

export const FUNNEL_STEPS = ['cartsFilled', 'checkouts', 'stockReserved', 'paid', 'confirmed', 'shipped', 'delivered'] as const

export interface Step {
  step: (typeof FUNNEL_STEPS)[number]
  count: number
  /** Of the widest step, from 0 to 1. */
  share: number
  /** Of the step before, from 0 to 1; null where that says nothing. */
  kept: number | null
}

export function funnelSteps(funnel: Reports['checkoutFunnel']): Step[] {
  const widest = Math.max(...FUNNEL_STEPS.map((step) => funnel[step]), 1)
  return FUNNEL_STEPS.map((step, index) => {
    const before = FUNNEL_STEPS[index - 1]
    const count = funnel[step]
    // A cart may be filled before these days and bought in them: then more come out than went in.
    const kept = before && funnel[before] >= count && funnel[before] > 0 ? count / funnel[before] : null
    return { step, count, share: count / widest, kept }
  })
}

export interface Ending {
  outcome: string
  code: string | null
  sagas: number
  meanDurationMs: number
  share: number
}

/** How orders ended, over all days, the most frequent first. */
export function endings(outcomes: Reports['sagaOutcomes']): Ending[] {
  const sums = new Map<string, Ending>()
  for (const { outcome, code, sagas, meanDurationMs } of outcomes) {
    const key = `${outcome} ${code ?? ''}`
    const sum = sums.get(key) ?? { outcome, code, sagas: 0, meanDurationMs: 0, share: 0 }
    const all = sum.sagas + sagas
    sum.meanDurationMs = all > 0 ? (sum.meanDurationMs * sum.sagas + meanDurationMs * sagas) / all : 0
    sum.sagas = all
    sums.set(key, sum)
  }
  const all = [...sums.values()]
  const total = Math.max(all.reduce((sum, { sagas }) => sum + sagas, 0), 1)
  return all.map((ending) => ({ ...ending, share: ending.sagas / total })).sort((a, b) => b.sagas - a.sagas)
}
