import { fileURLToPath } from 'node:url'
import vueI18n from '@intlify/unplugin-vue-i18n/vite'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { compress } from './scripts/compress.js'
import { contentSecurityPolicy } from './scripts/contentSecurityPolicy.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Where a shop runs that development and preview ask: `PROST_URL=http://127.0.0.1:9100 npm run dev`. */
const shop = process.env.PROST_URL ?? 'http://127.0.0.1:8080'
const proxy = Object.fromEntries(
  ['/graphql', '/images', '/pictures'].map((path) => [path, { target: shop, ws: path === '/graphql' }]),
)

const isOneOf = (files: string[]) => (id: string) => files.some((file) => id.endsWith(file))

/**
 * What a visit to the catalogue takes, with all that is imported, in three files: over HTTP/1.1, six requests at a time
 * fetch fifty small ones slowly. What runs first, and what helps every file to load others; the shell and the home
 * page; the catalogue's other pages, which the first one fetches where they are wanted at once.
 */
const GROUPS = [
  { name: 'headStart', test: isOneOf(['/src/app/headStart.ts', 'vite/preload-helper.js']), priority: 2 },
  { name: 'shop', test: isOneOf(['/src/app/main.ts', '/src/app/shell/ShopLayout.vue', '/src/catalog/HomePage.vue']), priority: 1 },
  { name: 'catalog', test: isOneOf(['/src/catalog/ProductListPage.vue', '/src/catalog/ProductPage.vue']) },
]

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
    rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } },
  },
  server: { proxy },
  preview: { proxy, headers: { 'Content-Security-Policy': contentSecurityPolicy } },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
  },
})
