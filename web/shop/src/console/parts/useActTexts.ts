import { useI18n } from 'vue-i18n'

/** What an operator did. */
export interface Act {
  id: string
  actedAt: string
  actor: string
  action: string
  reason: string | null
  outcome: string
}

/** What operators' acts are called. An act that is newer than this console goes by its own name. */
export function useActTexts() {
  const { t, te } = useI18n()
  const named = (key: string, name: string) => (te(key) ? t(key) : name)
  return {
    nameOf: (action: string) => named(`consoleMessages.actions.${action.replaceAll('.', '_')}`, action),
    /** What became of it, unless it simply happened. */
    remarkOf: (outcome: string) => (outcome === 'done' ? null : named(`consoleMessages.audit.outcome.${outcome}`, outcome)),
  }
}
