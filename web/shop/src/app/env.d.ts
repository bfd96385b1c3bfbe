declare module 'virtual:nuxt-ui-icons' {
  import type { IconifyIcon } from '@iconify/vue'

  /** Hands over every icon that the build found in use. */
  export function init(add: (name: string, icon: IconifyIcon) => void): void
}
