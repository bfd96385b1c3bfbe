import { useLocalStorage } from '@vueuse/core'
import { watch } from 'vue'
import { createI18n } from 'vue-i18n'
import type { I18n, Locale, LocaleMessageDictionary, VueMessageType } from 'vue-i18n'
import { CHOICE_KEY, LOCALES, preferredLocale, shellTexts } from './preferred'
import type { ShopLocale } from './preferred'

export { LOCALES } from './preferred'
export type { ShopLocale } from './preferred'

type Messages = LocaleMessageDictionary<VueMessageType>
type Bundle = () => Promise<{ default: object }>

const bundles: Record<ShopLocale, Bundle[]> = { en: [shellTexts.en], de: [shellTexts.de] }

const choice = useLocalStorage<ShopLocale | null>(CHOICE_KEY, null, { writeDefaults: false })

export const i18n = createI18n({
  legacy: false,
  locale: preferredLocale() as Locale,
  fallbackLocale: false,
  messages: {},
  missingWarn: import.meta.env.DEV,
}) as I18n<Record<string, Messages>, Record<string, never>, Record<string, never>, string, false>

/** Loads a language's texts, and then speaks it. */
export async function speak(locale: ShopLocale) {
  for (const bundle of bundles[locale]) {
    const { default: messages } = await bundle()
    i18n.global.mergeLocaleMessage(locale, messages as Messages)
  }
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
  document.querySelector('meta[name="description"]')?.setAttribute('content', i18n.global.t('app.description'))
}

/** What the visitor chose, or their browser asks for. */
export function useLocaleChoice() {
  return {
    locale: i18n.global.locale,
    choose: async (locale: ShopLocale) => {
      await speak(locale)
      choice.value = locale
    },
  }
}

/** Adds a part's texts, now and for every language chosen later; for routes that are loaded lazily. */
export async function addBundle(part: Record<ShopLocale, Bundle>) {
  for (const locale of LOCALES) if (!bundles[locale].includes(part[locale])) bundles[locale].push(part[locale])
  await speak(i18n.global.locale.value as ShopLocale)
}

export const restored = speak(preferredLocale())
watch(choice, (locale) => locale && void speak(locale))
