import { useQuery } from '@urql/vue'
import type { UseQueryArgs } from '@urql/vue'
import type { AnyVariables } from '@urql/core'
import { useDocumentVisibility, useIntervalFn } from '@vueuse/core'
import { computed, readonly, shallowRef, toValue, watch } from 'vue'
import type { MaybeRefOrGetter } from 'vue'

/**
 * A query that is asked again every so often, except in a hidden tab: coming back to it asks at once. What was read last
 * stays while the next answer is under way, and when it fails: then `latestError` says why it is old.
 */
export function usePolledQuery<Data, Variables extends AnyVariables>(
  args: UseQueryArgs<Data, Variables>,
  everyMs: MaybeRefOrGetter<number>,
) {
  const query = useQuery({ requestPolicy: 'cache-and-network', ...args })
  const visibility = useDocumentVisibility()
  const data = shallowRef<Data>()
  const readAt = shallowRef<Date>()
  const isAnswered = shallowRef(false)

  const refresh = () => query.executeQuery({ requestPolicy: 'network-only' })
  const timer = useIntervalFn(() => void refresh(), everyMs)

  watch(visibility, (now) => {
    if (now === 'hidden') return timer.pause()
    timer.resume()
    void refresh()
  })
  watch(
    () => JSON.stringify(toValue(args.variables)),
    () => (isAnswered.value = false),
  )
  watch(
    [query.data, query.fetching],
    ([answer, isFetching]) => {
      // While it is being fetched the answer is that of the question before.
      if (isFetching || answer === undefined || query.error.value) return
      data.value = answer
      isAnswered.value = true
      readAt.value = new Date()
    },
    { immediate: true },
  )

  return {
    data,
    error: computed(() => (isAnswered.value ? undefined : query.error.value)),
    latestError: query.error,
    /** The first answer is under way; the polls after it go unseen. */
    fetching: computed(() => !isAnswered.value && query.fetching.value),
    /** What `data` holds answers the variables as they are now. */
    isAnswered: readonly(isAnswered),
    readAt,
    refresh,
  }
}
