import { onMounted, watch } from 'vue'
import type { Ref, WatchSource } from 'vue'

/** Of a row of links that is swiped on a phone, brings the current one into view: at first, and whenever `source` changes. */
export function useCurrentInView(row: Readonly<Ref<HTMLElement | null>>, source: WatchSource) {
  /** Along the row alone: the page stays where its reader is. */
  const show = () => {
    const current = row.value?.querySelector('[aria-current]')
    if (!row.value || !current) return
    const [outer, inner] = [row.value.getBoundingClientRect(), current.getBoundingClientRect()]
    row.value.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2)
  }
  onMounted(show)
  watch(source, show, { flush: 'post' })
}
