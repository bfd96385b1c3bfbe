import { nextTick, onMounted, readonly, ref } from 'vue'

/** What of the first page waits to be rendered, in the order of the page. */
const waiting: (() => void)[] = []
let isRendering = false
let isFirstPage = true
/** Settles when the page itself has been rendered. */
let page: Promise<unknown> = Promise.resolve()

/**
 * Whether it is a part's turn to be rendered. On the first page of a visit what is out of sight waits until the rest has
 * been painted, and then comes part by part: that is seen sooner, and a slow phone answers a touch in between. A page
 * that comes later is rendered at once.
 */
export function useTurn() {
  const isDue = ref(!isFirstPage)
  if (isFirstPage) {
    onMounted(() => {
      waiting.push(() => (isDue.value = true))
      if (!isRendering) void renderInTurns()
    })
  }
  return readonly(isDue)
}

/** Whether it is the turn of the page itself: in the task after what stands around it, two short ones instead of a long one. */
export function usePageTurn() {
  const isDue = ref(!isFirstPage)
  if (isFirstPage) {
    page = new Promise((resolve) => {
      onMounted(async () => {
        await nextTask()
        isDue.value = true
        resolve(nextTick())
      })
    })
  }
  return readonly(isDue)
}

async function renderInTurns() {
  isRendering = true
  await page
  await firstPictures()
  while (waiting.length > 0) {
    await nextPaint()
    waiting.shift()?.()
  }
  isRendering = false
}

/** A phone shows the first pictures sooner when it does nothing else meanwhile; but it waits no longer than this. */
const PICTURES_WAIT_MS = 500

/** The pictures that the page has begun with. */
function firstPictures() {
  const eager = [...document.querySelectorAll('img')].filter((image) => image.loading !== 'lazy')
  const areShown = Promise.allSettled(eager.map((image) => image.decode()))
  return Promise.race([areShown, new Promise((resolve) => setTimeout(resolve, PICTURES_WAIT_MS))])
}

const nextTask = () => new Promise((resolve) => setTimeout(resolve))

/** The task after the next frame. A tab in the background has none, and would wait until it is looked at. */
const nextPaint = () =>
  new Promise((resolve) => (document.hidden ? setTimeout(resolve) : requestAnimationFrame(() => setTimeout(resolve))))

/** Called when the visitor goes on to another page. */
export function endFirstPage() {
  isFirstPage = false
}
