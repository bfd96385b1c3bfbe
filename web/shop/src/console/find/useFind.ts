import { useQuery } from '@urql/vue'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { FindQuery } from './documents'

/** Whatever goes by a text, an id or the beginning of an e-mail address; nothing is asked before there is one. */
export function useFind(text: MaybeRefOrGetter<string>) {
  const { data, error, fetching, executeQuery } = useQuery({
    query: FindQuery,
    variables: computed(() => ({ text: toValue(text) })),
    pause: computed(() => toValue(text) === ''),
    requestPolicy: 'cache-and-network',
  })
  const found = computed(() => data.value?.search)
  return {
    found,
    total: computed(() => {
      if (!found.value) return 0
      const { orders, users, deadLetters, unsentEvents } = found.value
      return orders.length + users.length + deadLetters.items.length + unsentEvents.length
    }),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}
