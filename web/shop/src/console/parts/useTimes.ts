import { useFormat } from '@/ui/useFormat'
import { inWords, scaleOf } from './durations'

/** Points in time and spans of it, as an operator reads them. */
export function useTimes() {
  const { region } = useFormat()
  const unit = (value: number, name: string, digits = 0) =>
    new Intl.NumberFormat(region.value, {
      style: 'unit',
      unit: name,
      unitDisplay: 'narrow',
      maximumFractionDigits: digits,
    }).format(value)

  return {
    /** `12 ms`, `1.4 s`, `3 min 5 s`, `2 d 4 h`: the two largest units that say something. */
    duration: (ms: number) => inWords(ms, unit),
    /** `3 minutes ago` */
    ago: (iso: string, now = Date.now()) => {
      const { value, unit: name } = scaleOf(now - Date.parse(iso))
      return new Intl.RelativeTimeFormat(region.value, { numeric: 'auto', style: 'short' }).format(-value, name)
    },
    /** `14:03:07.125` */
    clock: (iso: string) =>
      new Intl.DateTimeFormat(region.value, {
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        fractionalSecondDigits: 3,
        hour12: false,
      }).format(new Date(iso)),
    /** `20 Nov 2026, 14:03:07` */
    full: (iso: string) =>
      new Intl.DateTimeFormat(region.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso)),
  }
}
