import { fileURLToPath } from 'node:url'
import vueI18n from '@intlify/unplugin-vue-i18n/vite'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { compress } from './scripts/compress.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Where a shop runs that development and preview ask: `PROST_URL=http://127.0.0.1:9100 npm run dev`. */
const shop = process.env.PROST_URL ?? 'http://127.0.0.1:8080'
const proxy = Object.fromEntries(
  ['/graphql', '/images', '/pictures'].map((path) => [path, { target: shop, ws: path === '/graphql' }]),
)

/** What the gateway sends with every page; `npm run preview` sends it too, so that a breach shows before a shop is built. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * What nearly every visit begins with: the shell, its texts, the catalogue's pages, and what they import. One file:
 * over HTTP/1.1, six requests at a time fetch fifty small ones slowly.
 */
const FIRST_VISIT = ['app/main.ts', 'app/i18n/en.ts', 'app/i18n/de.ts', 'app/shell/ShopLayout.vue'].concat(
  ['HomePage', 'ProductListPage', 'ProductPage'].map((page) => `catalog/${page}.vue`),
)
const isOfFirstVisit = (id: string) => FIRST_VISIT.some((file) => id.endsWith(`/src/${file}`))

// The gateway embeds web/dist/shop and serves it at /.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@\//, replacement: `${here('./src')}/` },
      // Nuxt UI asks for icons over the network; this one never does.
      { find: /^@iconify\/vue$/, replacement: here('./src/ui/iconify.ts') },
    ],
  },
  plugins: [
    vue(),
    ui({
      autoImport: false,
      components: { dts: false },
      dts: false,
      // The theme is ours: src/app/theme.
      colorMode: false,
      experimental: { componentDetection: true },
      icon: { clientBundle: { scan: { globInclude: ['src/**/*.{vue,ts}'], globExclude: ['node_modules'] } } },
      theme: { colors: ['primary', 'success', 'info', 'warning', 'error'] },
      ui: { colors: { primary: 'primary', neutral: 'neutral' } },
    }),
    vueI18n({
      include: here('./src/**/i18n/*.json'),
      runtimeOnly: true,
      dropMessageCompiler: true,
      compositionOnly: true,
      fullInstall: false,
    }),
    compress(),
  ],
  define: {
    __VUE_OPTIONS_API__: false,
  },
  build: {
    outDir: '../dist/shop',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // A test measures the first visit, compressed.
    chunkSizeWarningLimit: 600,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shop', test: isOfFirstVisit }] } } },
  },
  server: { proxy },
  preview: { proxy, headers: { 'Content-Security-Policy': contentSecurityPolicy } },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
  },
})
