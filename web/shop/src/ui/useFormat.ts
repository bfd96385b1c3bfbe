import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { numberFormat, regionOf } from './numberFormat'

/** Money as the gateway speaks it: an exact decimal string, never a float. */
export interface Money {
  amount: string
  currencyCode: string
}

const SECONDS = { minimumFractionDigits: 2, maximumFractionDigits: 2 }
const PRECISE = { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 } as const

/** Money, numbers and times as the visitor writes them. */
export function useFormat() {
  const { locale } = useI18n()
  const region = computed(() => regionOf(locale.value))

  return {
    /** Whose customs of writing numbers and dates apply. */
    region,
    money: ({ amount, currencyCode }: Money) =>
      // Given the string, Intl formats every digit; given a float it would round.
      numberFormat(region.value, { style: 'currency', currency: currencyCode }).format(amount as `${number}`),
    /** `€` for EUR. */
    currencySymbol: (currency: string) =>
      numberFormat(region.value, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' })
        .formatToParts(0)
        .find(({ type }) => type === 'currency')?.value ?? currency,
    /** For the axis of a chart, where `€1.2K` is enough. */
    roundMoney: (value: number, currency: string) =>
      numberFormat(region.value, { style: 'currency', currency, notation: 'compact' }).format(value),
    number: (value: number) => numberFormat(region.value).format(value),
    /** A share of 1, to whole percents. */
    percent: (share: number) => numberFormat(region.value, { style: 'percent' }).format(share),
    /** A length of time, in seconds. */
    seconds: (ms: number) => numberFormat(region.value, SECONDS).format(ms / 1000),
    date: (iso: string) => new Intl.DateTimeFormat(region.value, { dateStyle: 'long' }).format(new Date(iso)),
    /** A day as the calendar has it, `2026-11-20`, wherever the reader is. */
    calendarDay: (day: string) =>
      new Intl.DateTimeFormat(region.value, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`)),
    /** To the millisecond, for what services do one after the other. */
    time: (iso: string) => new Intl.DateTimeFormat(region.value, PRECISE).format(new Date(iso)),
    dateTime: (iso: string) =>
      new Intl.DateTimeFormat(region.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso)),
  }
}
