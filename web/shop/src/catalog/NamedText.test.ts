import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { h } from 'vue'
import { createI18n } from 'vue-i18n'
import type { MessageContext } from 'vue-i18n'
import NamedText from './NamedText.vue'

const messages = {
  en: { added: ({ named }: MessageContext) => `${named('n')} × ${named('name')} added` },
  de: { added: ({ named }: MessageContext) => `${named('n')} × „${named('name')}“ im Korb` },
}

it.each([
  ['de', '2 × „The Long Breakfast“ im Korb', 'en'],
  ['en', '2 × The Long Breakfast added', undefined],
])('marks a name of the catalogue where the shop speaks %s', (locale, text, lang) => {
  const props = { message: 'added', name: 'The Long Breakfast', values: { n: 2 } }
  const wrapper = mount(() => h('p', h(NamedText, props)), { global: { plugins: [createI18n({ legacy: false, locale, messages })] } })
  expect(wrapper.text()).toBe(text)
  expect(wrapper.get('span').text()).toBe('The Long Breakfast')
  expect(wrapper.get('span').attributes('lang')).toBe(lang)
})
