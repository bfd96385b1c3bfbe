export const LOCALES = ['en', 'de'] as const
export type ShopLocale = (typeof LOCALES)[number]

/** Where the visitor's choice is kept. */
export const CHOICE_KEY = 'prost.locale'

/** The language that the visitor chose, or else their browser asks for. */
export function preferredLocale(): ShopLocale {
  const wanted = [localStorage.getItem(CHOICE_KEY) ?? '', ...navigator.languages].map((language) => language.slice(0, 2))
  return LOCALES.find((locale) => locale === wanted.find((language) => LOCALES.includes(language as ShopLocale))) ?? 'en'
}

/** What every page may show; the texts of the other parts are loaded with their routes. */
export const shellTexts = {
  en: () => import('./en'),
  de: () => import('./de'),
}
