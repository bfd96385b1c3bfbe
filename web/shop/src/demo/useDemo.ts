import { useQuery } from '@urql/vue'
import { computed } from 'vue'
import { DemoQuery } from './documents'

/** What a demonstration shop offers, its logins; null in every other shop, and until it is known. */
export function useDemo() {
  const { data, error, fetching, executeQuery } = useQuery({ query: DemoQuery })
  return {
    demo: computed(() => data.value?.demo ?? null),
    error,
    fetching,
    retry: () => executeQuery({ requestPolicy: 'network-only' }),
  }
}
