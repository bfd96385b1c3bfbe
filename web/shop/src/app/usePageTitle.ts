import { onScopeDispose, shallowRef, watchEffect } from 'vue'

type Title = () => string | undefined

/** What the page in view calls itself. */
const own = shallowRef<Title>()

/**
 * The document's title, for a page that is named by its data: `usePageTitle(() => product.value?.name)`. Until that is
 * known, its route's title stands.
 */
export function usePageTitle(title: Title) {
  own.value = title
  onScopeDispose(() => {
    if (own.value === title) own.value = undefined
  })
}

/** Keeps the document's title right, whatever changes: the page, its data, the language. */
export function showTitles(ofRoute: Title) {
  watchEffect(() => {
    const title = own.value?.() ?? ofRoute()
    if (title) document.title = `${title} · Prost`
  })
}
