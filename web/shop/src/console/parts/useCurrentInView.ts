import { onMounted, watch } from 'vue'
import type { Ref, WatchSource } from 'vue'

/** Of a row of links that is swiped on a phone, brings the current one into view: at first, and whenever `source` changes. */
export function useCurrentInView(row: Readonly<Ref<HTMLElement | null>>, source: WatchSource) {
  const show = () => row.value?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  onMounted(show)
  watch(source, show, { flush: 'post' })
}
