import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** Money as the gateway speaks it: an exact decimal string, never a float. */
export interface Money {
  amount: string
  currencyCode: string
}

const SECONDS = { minimumFractionDigits: 2, maximumFractionDigits: 2 }
const PRECISE = { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 } as const

const numberFormats = new Map<string, Intl.NumberFormat>()

/** A way of writing numbers; the same one for all the prices of a page, since it takes long to be made. */
function numberFormat(region: string, options: Intl.NumberFormatOptions = {}) {
  const key = region + JSON.stringify(options)
  const format = numberFormats.get(key) ?? new Intl.NumberFormat(region, options)
  numberFormats.set(key, format)
  return format
}

/** Money, numbers and times as the visitor writes them. */
export function useFormat() {
  const { locale } = useI18n()
  const region = computed(() => (locale.value === 'de' ? 'de-DE' : 'en-IE'))

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
