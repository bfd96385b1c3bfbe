import { useLocalStorage } from '@vueuse/core'
import { watch } from 'vue'
import { createI18n } from 'vue-i18n'
import type { I18n, Locale, LocaleMessageDictionary, VueMessageType } from 'vue-i18n'

export const LOCALES = ['en', 'de'] as const
export type ShopLocale = (typeof LOCALES)[number]

type Messages = LocaleMessageDictionary<VueMessageType>
type Bundle = () => Promise<{ default: object }>

/** What every page may show comes with the first file; the texts of the other parts are loaded with their routes. */
const bundles: Record<ShopLocale, Bundle[]> = {
  en: [() => import('./en')],
  de: [() => import('./de')],
}

const choice = useLocalStorage<ShopLocale | null>('prost.locale', null, { writeDefaults: false })

function preferred(): ShopLocale {
  const wanted = [choice.value ?? '', ...navigator.languages].map((language) => language.slice(0, 2))
  return LOCALES.find((locale) => locale === wanted.find((language) => LOCALES.includes(language as ShopLocale))) ?? 'en'
}

export const i18n = createI18n({
  legacy: false,
  locale: preferred() as Locale,
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

export const restored = speak(preferred())
watch(choice, (locale) => locale && void speak(locale))
