import { onScopeDispose, watchEffect } from 'vue'

/** Tells machines what the page is about, as JSON-LD in the document's head, for as long as the page is shown. */
export function useStructuredData(data: () => object | undefined) {
  const element = document.createElement('script')
  element.type = 'application/ld+json'
  watchEffect(() => {
    const found = data()
    element.textContent = found ? JSON.stringify({ '@context': 'https://schema.org', ...found }) : ''
    if (found) document.head.append(element)
    else element.remove()
  })
  onScopeDispose(() => element.remove())
}
