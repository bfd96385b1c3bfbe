import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'
import { useDepartmentText } from './useDepartmentText'

/** What a page in a language makes of a text. */
function shown(locale: string, text: string | null) {
  let seen: { text: string; lang: string | undefined } | undefined
  const messages = { de: { departments: { Beer: 'Bier' } }, en: {} }
  const i18n = createI18n({ legacy: false, locale, messages })
  mount(
    () => {
      const { departmentText, departmentLang } = useDepartmentText()
      seen = { text: departmentText(text), lang: departmentLang(text) }
      return null
    },
    { global: { plugins: [i18n] } },
  )
  return seen
}

it.each([
  ['de', 'Beer', 'Bier', undefined],
  ['de', 'Beer, by somebody else', 'Beer, by somebody else', 'en'],
  ['de', 'constructor', 'constructor', 'en'],
  ['de', null, '', 'en'],
  ['en', 'Beer', 'Beer', undefined],
])('in %s, %j is shown as %j, with lang %j', (locale, text, shownText, lang) => {
  expect(shown(locale, text)).toEqual({ text: shownText, lang })
})
