import { createSharedComposable } from '@vueuse/core'
import { computed, shallowRef, watch } from 'vue'
import { HealthQuery } from './documents'
import { usePolledQuery } from './parts/usePolledQuery'

const POLL_EVERY_MS = 5_000

/** So many readings are remembered: five minutes. */
const READINGS = 60

/** The numbers of one reading, to draw how they went. */
export interface Reading {
  waiting: number
  pendingEvents: number
  oldestAgeS: number
  deadLetters: number
}

const sum = (numbers: (number | null)[]) => numbers.reduce<number>((total, number) => total + (number ?? 0), 0)

/** Queues, outboxes and stuck orders as they stand now; all who show them share one poll. */
export const useHealth = createSharedComposable(() => {
  const { data, error, latestError, fetching, readAt, refresh } = usePolledQuery({ query: HealthQuery, variables: {} }, POLL_EVERY_MS)

  const queues = computed(() => data.value?.queues ?? [])
  const outboxes = computed(() => data.value?.outboxes ?? [])
  const ages = computed(() => outboxes.value.flatMap((outbox) => outbox.oldestAgeS ?? []))

  const deadLetters = computed(() => sum(queues.value.map((queue) => queue.deadLetters)))
  const waiting = computed(() => sum(queues.value.flatMap((queue) => [queue.ready, queue.inFlight, queue.delayed])))
  const pendingEvents = computed(() => sum(outboxes.value.map((outbox) => outbox.pending)))
  const oldestAgeS = computed(() => (ages.value.length > 0 ? Math.max(...ages.value) : null))

  const stuck = computed(() => data.value?.stuck.items.length ?? 0)

  const history = shallowRef<readonly Reading[]>([])
  watch(readAt, () => {
    const reading = {
      waiting: waiting.value,
      pendingEvents: pendingEvents.value,
      oldestAgeS: oldestAgeS.value ?? 0,
      deadLetters: deadLetters.value,
    }
    history.value = [...history.value, reading].slice(-READINGS)
  })

  return {
    isKnown: computed(() => data.value !== undefined),
    queues,
    outboxes,
    deadLetters,
    waiting,
    pendingEvents,
    oldestAgeS,
    history,
    failedEvents: computed(() => sum(outboxes.value.map((outbox) => outbox.failed))),
    silentServices: computed(() => outboxes.value.filter((box) => box.pending === null).map((box) => box.service)),
    stuck,
    /** How many are stuck, as it is shown: only the first hundred are counted. */
    stuckText: computed(() => (data.value?.stuck.nextCursor ? `${stuck.value}+` : String(stuck.value))),
    error,
    latestError,
    fetching,
    refresh,
  }
})
