/**
 * Stands in for `@iconify/vue` (see vite.config.ts): Nuxt UI's icons from the bundle alone. The original asks a public
 * server for every icon it does not know.
 */
export { Icon, addCollection, addIcon } from '@iconify/vue/offline'

/** Every icon that is used was put into the bundle by the build. */
export function iconLoaded(): boolean {
  return true
}
