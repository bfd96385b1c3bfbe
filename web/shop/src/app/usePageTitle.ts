import { watch } from 'vue'
import { i18n } from './i18n'

/** The document's title, for a page that is named by its data: `usePageTitle(() => product.value?.name)`. */
export function usePageTitle(title: () => string | undefined) {
  // With another language the router puts the route's own title first.
  watch(
    [title, i18n.global.locale],
    ([text]) => {
      if (text) document.title = `${text} · Prost`
    },
    { immediate: true },
  )
}
