/** The texts of this part, loaded with its routes. */
export const ordersTexts = {
  en: () => import('./i18n/en.json'),
  de: () => import('./i18n/de.json'),
}
