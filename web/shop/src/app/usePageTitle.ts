import { watchEffect } from 'vue'

/** The document's title, for a page that is named by its data: `usePageTitle(() => product.value?.name)`. */
export function usePageTitle(title: () => string | undefined) {
  watchEffect(() => {
    const text = title()
    if (text) document.title = `${text} · Prost`
  })
}
