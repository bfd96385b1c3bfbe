import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { defaultSort, readListState, toVariables, writeListState } from './listState'
import type { ListState } from './listState'

/** The product list's state, read from the URL and written to it. */
export function useListState() {
  const route = useRoute()
  const router = useRouter()
  const state = computed(() => readListState(route.query))

  /** Any change but that of the page begins at the first page again. */
  async function change(changes: Partial<ListState>) {
    const next = { ...state.value, after: '', ...changes }
    if (changes.q !== undefined && changes.sort === undefined) next.sort = defaultSort(changes.q)
    await router.push({ name: 'products', query: writeListState(next) })
  }

  const pageAt = (after: string) => ({ name: 'products', query: writeListState({ ...state.value, after }) })

  return { state, change, pageAt, variables: computed(() => toVariables(state.value)) }
}
