import { useQuery } from '@urql/vue'
import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { OperatorQuery } from '../documents'

const OF_ACCOUNT = 'user:'

/** Who is meant by an actor of the audit trail: an account, and its e-mail address as long as there is one. */
export function useActor(actor: MaybeRefOrGetter<string>) {
  const account = computed(() => {
    const name = toValue(actor)
    return name.startsWith(OF_ACCOUNT) ? name.slice(OF_ACCOUNT.length) : null
  })
  // All acts of one operator share this answer: it comes from the cache.
  const { data } = useQuery({
    query: OperatorQuery,
    variables: computed(() => ({ id: account.value ?? '' })),
    pause: computed(() => account.value === null),
  })
  return { account, email: computed(() => data.value?.user?.email) }
}
