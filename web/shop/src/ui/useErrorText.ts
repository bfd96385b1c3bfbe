import type { CombinedError } from '@urql/core'
import { useI18n } from 'vue-i18n'
import { hasCode } from '@/graphql/errors'
import type { UserError } from '@/graphql/errors'

/**
 * What a refusal is called in the visitor's language: by its field where a form's input is to blame, else by its code,
 * both below `<domain>.errors`; what any service may say stands below `ui.errors`. What has no words there speaks with
 * the server's.
 */
export function useErrorText(domain: string) {
  const { t, te } = useI18n()

  return (error: UserError): string => {
    const field = error.field?.at(-1)
    const names = [...(error.code === 'VALIDATION_FAILED' && field ? [field] : []), error.code]
    const keys = [...names.map((name) => `${domain}.errors.${name}`), `ui.errors.${error.code}`]
    const key = keys.find((candidate) => te(candidate))
    return key ? t(key) : error.message
  }
}

/** Why something could not even be asked or decided, as far as knowing it helps. */
export function useFaultText() {
  const { t } = useI18n()

  return (fault: CombinedError): string => {
    if (fault.networkError) return t('ui.fault.offline')
    return hasCode(fault, 'RATE_LIMITED') ? t('ui.fault.tooMany') : t('ui.fault.text')
  }
}
