import { useQuery } from '@urql/vue'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import type { ResultOf, VariablesOf } from '@/graphql/tada'
import { usePolledQuery } from '../parts/usePolledQuery'
import { ActsQuery, DeadLetterQuery, DeadLettersQuery, OutboxEventQuery, OutboxQuery } from './documents'

export type DeadLetterRow = ResultOf<typeof DeadLettersQuery>['deadLetters']['items'][number]
export type Outbox = ResultOf<typeof OutboxQuery>['outboxes'][number]
export type UnsentEvent = ResultOf<typeof OutboxQuery>['outboxEvents']['items'][number]
export type OperatorAct = ResultOf<typeof ActsQuery>['operatorActs'][number]

const POLL_EVERY_MS = 5_000

export function useDeadLetters(variables: MaybeRefOrGetter<VariablesOf<typeof DeadLettersQuery>>) {
  const { data, error, fetching, isAnswered, refresh } = usePolledQuery(
    { query: DeadLettersQuery, variables: computed(() => toValue(variables)) },
    POLL_EVERY_MS,
  )
  return {
    letters: computed(() => data.value?.deadLetters.items ?? []),
    total: computed(() => data.value?.deadLetters.total ?? 0),
    nextCursor: computed(() => data.value?.deadLetters.nextCursor ?? null),
    unreachable: computed(() => data.value?.deadLetters.unreachable ?? []),
    isAnswered,
    error,
    fetching,
    retry: refresh,
  }
}

export function useDeadLetter(variables: MaybeRefOrGetter<VariablesOf<typeof DeadLetterQuery>>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: DeadLetterQuery,
    variables: computed(() => toValue(variables)),
    requestPolicy: 'cache-and-network',
  })
  return {
    letter: computed(() => data.value?.deadLetter ?? null),
    acts: computed(() => data.value?.operatorActs ?? []),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}

/** How each outbox stands, and a page of what they hold. */
export function useOutbox(variables: MaybeRefOrGetter<VariablesOf<typeof OutboxQuery>>) {
  const { data, error, fetching, refresh } = usePolledQuery(
    { query: OutboxQuery, variables: computed(() => toValue(variables)) },
    POLL_EVERY_MS,
  )
  return {
    outboxes: computed(() => data.value?.outboxes ?? []),
    events: computed(() => data.value?.outboxEvents.items ?? []),
    nextCursor: computed(() => data.value?.outboxEvents.nextCursor ?? null),
    error,
    fetching,
    retry: refresh,
  }
}

export function useOutboxEvent(variables: MaybeRefOrGetter<VariablesOf<typeof OutboxEventQuery>>) {
  const { data, error, fetching, refresh } = usePolledQuery(
    { query: OutboxEventQuery, variables: computed(() => toValue(variables)) },
    POLL_EVERY_MS,
  )
  return {
    event: computed(() => data.value?.outboxEvent ?? null),
    acts: computed(() => data.value?.operatorActs ?? []),
    error,
    fetching,
    retry: refresh,
  }
}

/** What operators did, latest first: so many acts, behind the one that was shown last. */
export function useActs(perPage: number, after: MaybeRefOrGetter<string | null> = null) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: ActsQuery,
    // One more than is shown tells whether there is another page.
    variables: computed(() => ({ first: perPage + 1, after: toValue(after) })),
    requestPolicy: 'cache-and-network',
  })
  const answered = computed(() => data.value?.operatorActs ?? [])
  const acts = computed(() => answered.value.slice(0, perPage))
  return {
    acts,
    next: computed(() => (answered.value.length > perPage ? (acts.value.at(-1)?.id ?? null) : null)),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}
