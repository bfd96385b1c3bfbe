// Ways through a page without a pointer.
import assert from 'node:assert/strict'

/** More presses than any page has stops before what is looked for. */
const MOST_STOPS = 80

const isFocused = (locator) => locator.evaluateAll((elements) => elements.includes(document.activeElement))

/** What has the focus, and whether anybody can see that. */
function describeFocus() {
  const element = document.activeElement
  const hasOutline = (candidate) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(candidate)
    return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0
  }
  // Some inputs are out of sight: their label is drawn in their place.
  const shown = ['radio', 'file'].includes(element.type) && element.closest('label') ? element.closest('label') : element
  const { width, height } = shown.getBoundingClientRect()
  // A date field has stops of its own inside, which the browser draws where no script can look.
  // A stepper is drawn as one, its buttons with its field.
  const isStepper = element.type === 'number' && hasOutline(element.parentElement)
  const isDrawn = hasOutline(shown) || getComputedStyle(shown).boxShadow !== 'none'
  const isShown = element.type === 'date' || isStepper || isDrawn
  return { html: element.outerHTML.slice(0, 200), isSeen: isShown && width > 1 && height > 1 }
}

/** Presses Tab until something has the focus. Each stop on the way has to be seen. */
export async function tabTo(page, locator, key = 'Tab') {
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await page.keyboard.press(key)
    const { html, isSeen } = await page.evaluate(describeFocus)
    if (!html.startsWith('<body')) assert.ok(isSeen, `nobody sees that this has the focus: ${html}`)
    if (await isFocused(locator)) return
  }
  assert.fail(`Tab does not lead to ${locator}`)
}

/** The two ways in which a keyboard gets on: to something, and into it. */
export const keys = (page) => ({
  tab: (locator) => tabTo(page, locator),
  enter: async (locator, key) => {
    await tabTo(page, locator, key)
    await page.keyboard.press('Enter')
  },
})

/** Waits until something has the focus. */
export async function focusIsOn(page, locator) {
  await page.waitForFunction((element) => element === document.activeElement, await locator.elementHandle())
}
