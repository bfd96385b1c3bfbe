/** An order that the server knows, e.g. `PRICE_DESC`. */
export type Sorting = string

/** A column of a table. */
export interface Column {
  id: string
  header: string
  /** Says what the column is to those who cannot see it only. */
  hideHeader?: boolean
  class?: string
  /** Figures, set to the right and below each other. */
  numeric?: boolean
  /** The orders that pressing its header goes through. */
  sorts?: readonly Sorting[]
  /** Which of them runs downwards. */
  descending?: Sorting
}
