import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { usePolledQuery } from '../parts/usePolledQuery'
import { ReportsQuery } from './documents'
import { digitsOfRevenue, endings, everyDay, funnelSteps, mainCurrency } from './figures'

const POLL_EVERY_MS = 15_000

/** What was sold and how orders ended, over the last days. */
export function useReports(days: MaybeRefOrGetter<number>) {
  const { data, error, fetching, refresh } = usePolledQuery(
    { query: ReportsQuery, variables: computed(() => ({ days: toValue(days) })) },
    POLL_EVERY_MS,
  )
  const reports = computed(() => data.value?.reports)
  return {
    isKnown: computed(() => reports.value !== undefined),
    days: computed(() => everyDay(reports.value?.salesPerDay ?? [], new Date(), toValue(days))),
    currency: computed(() => mainCurrency(reports.value?.salesPerDay ?? [])),
    revenueDigits: computed(() => digitsOfRevenue(reports.value?.salesPerDay ?? [])),
    topProducts: computed(() => reports.value?.topProducts ?? []),
    funnel: computed(() => (reports.value ? funnelSteps(reports.value.checkoutFunnel) : [])),
    endings: computed(() => endings(reports.value?.sagaOutcomes ?? [])),
    error,
    fetching,
    retry: refresh,
  }
}
