import { computed, toValue } from 'vue'
import type { MaybeRefOrGetter } from 'vue'
import { useRoute } from 'vue-router'
import type { HistoryState, RouteLocationAsRelativeGeneric } from 'vue-router'

/** A page of a list by the cursor that it begins behind; the first page begins behind none. */
type PageAt = (after: string) => RouteLocationAsRelativeGeneric

/**
 * The ways on from a page of a list that knows only its next one. The pages turned so far are kept beside the entry in the
 * browser's history: within a visit there is a way back, over a reload too. Who comes by a link has none.
 */
export function usePageTurns(
  after: MaybeRefOrGetter<string>,
  next: MaybeRefOrGetter<string | null | undefined>,
  pageAt: PageAt,
) {
  const route = useRoute()
  const turns = computed(() => {
    // What history remembers tells nobody that it has changed; it changes with the route.
    void route.fullPath
    return pageTurns(wayHere(window.history.state), toValue(after), toValue(next) ?? '')
  })
  const link = (turn: Turn | null) => turn && { ...pageAt(turn.after), state: { way: written(turn.way) } }
  return {
    first: computed(() => link(turns.value.first)),
    previous: computed(() => link(turns.value.previous)),
    next: computed(() => link(turns.value.next)),
  }
}

const END = '\n'

/** The way as a text, each cursor with an end: components make lists reactive, and those no history takes. */
export const written = (way: readonly string[]) => way.map((cursor) => cursor + END).join('')

/** The cursors of the pages before this one, as far as they are known. */
export function wayHere(state: HistoryState | null): string[] {
  const way = state?.way
  return typeof way === 'string' ? way.split(END).slice(0, -1) : []
}

interface Turn {
  after: string
  /** The way to the page that is turned to. */
  way: string[]
}

/** Where one can turn from here. The first page is not offered beside the previous one, where that is the same. */
export function pageTurns(way: readonly string[], after: string, next: string) {
  const before = after ? way.at(-1) : undefined
  return {
    first: after && before !== '' ? { after: '', way: [] } : null,
    previous: before === undefined ? null : { after: before, way: way.slice(0, -1) },
    next: next ? { after: next, way: [...way, after] } : null,
  } satisfies Record<string, Turn | null>
}
