import { readonly, ref } from 'vue'

const isOver = ref(false)

/** Whether the first screen has been painted. What is out of sight anyway waits for that, so that it comes sooner. */
export const isPainted = readonly(isOver)

/** Called when the application is mounted: the next frame paints it. */
export function awaitFirstPaint() {
  requestAnimationFrame(() => setTimeout(() => (isOver.value = true)))
}
