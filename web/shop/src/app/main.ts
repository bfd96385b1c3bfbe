import './theme/main.css'
import { createApp, watch } from 'vue'
import urql from '@urql/vue'
import { addIcon } from '@iconify/vue'
import { init as initIcons } from 'virtual:nuxt-ui-icons'
import { refreshByCookie } from '@/account/refresh'
import { followTabs } from '@/account/sessionTabs'
import { firstAnswers } from '@/catalog/firstAnswers'
import { listPage, productPage } from '@/catalog/pages'
import { createGraphql } from '@/graphql/client'
import { answeredAhead } from '@/graphql/headStart'
import { liveKey } from '@/graphql/live'
import { createSession, sessionKey } from '@/graphql/session'
import App from './App.vue'
import { i18n, restored } from './i18n'
import { createShopRouter } from './router'

const session = createSession(refreshByCookie)
followTabs(session)
// What somebody entered in this tab, an address for example, goes with them.
watch(
  () => session.user.value?.id,
  (_, before) => before && sessionStorage.clear(),
)

const { client, live, know } = createGraphql(session)
const router = createShopRouter(session)

// Nuxt UI writes `i-lucide-search`, its bundle `lucide:search`.
initIcons((name, icon) => addIcon(name.replace(':', '-'), icon))

const app = createApp(App)
app.provide(sessionKey, session)
app.provide(liveKey, live)
app.use(i18n).use(router).use(urql, client)

/** Rather a moment later and whole than grey first: to render a page twice takes a phone longer than this. */
const ANSWER_WAIT_MS = 100

// Not awaited: the first page lies in the same file, and would wait for this module to end.
void Promise.all([restored, router.isReady(), answeredAhead(ANSWER_WAIT_MS)]).then(() => {
  know(firstAnswers())
  app.mount('#app')
  setTimeout(loadCatalog, QUIET_AFTER_MS)
})

/** Time enough for the first page's pictures; the pages that are likely next come after them. */
const QUIET_AFTER_MS = 2_000
function loadCatalog() {
  for (const page of [listPage, productPage]) page().catch(() => undefined)
}
