import { useLocalStorage, usePreferredDark } from '@vueuse/core'
import { computed, watchEffect } from 'vue'

export type ThemeChoice = 'system' | 'light' | 'dark'

const choice = useLocalStorage<ThemeChoice>('prost.theme', 'system')

/** Light or dark: as chosen, or as the system says. `public/theme.js` does the same before the first paint. */
export function useTheme() {
  const systemIsDark = usePreferredDark()
  const isDark = computed(() => choice.value === 'dark' || (choice.value === 'system' && systemIsDark.value))

  watchEffect(() => {
    document.documentElement.classList.toggle('dark', isDark.value)
    document.documentElement.classList.toggle('light', !isDark.value)
  })

  return { choice, isDark }
}
