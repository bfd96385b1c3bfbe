import { useI18n } from 'vue-i18n'
import type { UserError } from '@/graphql/errors'

/**
 * What a refusal is called in the visitor's language: by its field where a form's input is to blame, else by its code,
 * both below `<domain>.errors`. What has no words there speaks with the server's.
 */
export function useErrorText(domain: string) {
  const { t, te } = useI18n()

  return (error: UserError): string => {
    const field = error.field?.at(-1)
    const keys = [...(error.code === 'VALIDATION_FAILED' && field ? [field] : []), error.code]
    const key = keys.map((name) => `${domain}.errors.${name}`).find((candidate) => te(candidate))
    return key ? t(key) : error.message
  }
}
