import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { LocationQueryRaw } from 'vue-router'

/** What a list shows, kept in the URL alone: a link, a reload and the back button keep it. */
export function useFilters<Name extends string = never>(...names: Name[]) {
  type Filters = Record<Name | 'after', string>
  const route = useRoute()
  const router = useRouter()

  const filters = computed(
    () =>
      Object.fromEntries(
        [...names, 'after'].map((name) => {
          const value = route.query[name]
          return [name, typeof value === 'string' ? value : '']
        }),
      ) as Filters,
  )

  /** Where a link leads that changes this; any change but that of the page begins at the first page again. */
  function withChanges(changes: Partial<Filters>): { query: LocationQueryRaw } {
    const next = { ...filters.value, after: '', ...changes }
    return { query: Object.fromEntries(Object.entries(next).filter(([, value]) => value !== '')) }
  }

  return {
    filters,
    withChanges,
    change: (changes: Partial<Filters>) => router.push(withChanges(changes)),
    /** For typing, which should not fill the browser's history. */
    retype: (changes: Partial<Filters>) => router.replace(withChanges(changes)),
  }
}
