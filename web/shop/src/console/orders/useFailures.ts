import { useI18n } from 'vue-i18n'

interface Failure {
  failureCode: string | null
  failureReason: string | null
}

/** Their reasons say no more than their names: the others name products, or are unknown here. */
const SAID_BY_NAME = ['PAYMENT_DECLINED', 'EXPIRED', 'ORDER_CALLED_OFF', 'INVALID_PAYMENT_METHOD']

/** Why an order or a payment failed: by the name of its code, and in the service's own words (English) where they say more. */
export function useFailures() {
  const { t, te } = useI18n()
  return {
    nameOf: (code: string) => (te(`consoleOrders.failure.${code}`) ? t(`consoleOrders.failure.${code}`) : code),
    detailOf: ({ failureCode, failureReason }: Failure) =>
      failureCode !== null && SAID_BY_NAME.includes(failureCode) ? null : failureReason,
  }
}
