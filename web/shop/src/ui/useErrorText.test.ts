import { CombinedError } from '@urql/core'
import { mount } from '@vue/test-utils'
import { createI18n } from 'vue-i18n'
import { describe, expect, it } from 'vitest'
import ActionErrors from './ActionErrors.vue'
import en from './i18n/en.json'

const i18n = createI18n({ legacy: false, locale: 'en', messages: { en } as never })
const text = (key: string) => (i18n.global as unknown as { t: (key: string) => string }).t(key)

function said(props: { errors?: { code: string; field: string[] | null; message: string }[]; fault?: CombinedError }) {
  return mount(ActionErrors, { props: { errors: [], domain: 'account', ...props }, global: { plugins: [i18n] } }).text()
}

const faultWith = (code: string) => new CombinedError({ graphQLErrors: [{ message: 'no', extensions: { code } }] })

describe('why something did not happen', () => {
  it('asks for patience after too many attempts', () => {
    expect(said({ fault: faultWith('RATE_LIMITED') })).toBe(text('ui.fault.tooMany'))
  })

  it('tells a lost connection from a fault of the shop', () => {
    expect(said({ fault: new CombinedError({ networkError: new Error('lost') }) })).toBe(text('ui.fault.offline'))
    expect(said({ fault: faultWith('INTERNAL') })).toBe(text('ui.fault.text'))
  })

  it('has words of its own for what any service may refuse', () => {
    const refusal = { code: 'REQUEST_IN_FLIGHT', field: null, message: 'the words of the server' }
    expect(said({ errors: [refusal] })).toBe(text('ui.errors.REQUEST_IN_FLIGHT'))
    expect(said({ errors: [{ ...refusal, code: 'UNHEARD_OF' }] })).toBe('the words of the server')
  })
})
