import vueI18n from '@intlify/eslint-plugin-vue-i18n'
import vue from 'eslint-plugin-vue'
import typescript from 'typescript-eslint'

export default typescript.config(
  { ignores: ['node_modules', 'screenshots', 'src/graphql/generated', 'src/ui/nuxt-ui.d.ts', 'public'] },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: { console: 'readonly', URL: 'readonly', document: 'readonly' },
    },
  },
  {
    files: ['src/**/*.{ts,vue}', 'vite.config.ts'],
    extends: [...typescript.configs.strict, ...vue.configs['flat/recommended'], ...vueI18n.configs.recommended],
    languageOptions: { parserOptions: { parser: typescript.parser } },
    settings: {
      'vue-i18n': {
        localeDir: './src/**/i18n/*.json',
        messageSyntaxVersion: '^11.0.0',
      },
    },
    rules: {
      // Every word that a visitor reads or hears comes from the texts.
      '@intlify/vue-i18n/no-raw-text': [
        'error',
        {
          attributes: { '/.+/': ['title', 'label', 'aria-label', 'placeholder', 'alt', 'description'] },
          ignorePattern: '^[\\s\\d·→×/:#%+−–—•()]*$',
        },
      ],
      '@intlify/vue-i18n/no-missing-keys': 'error',
      '@intlify/vue-i18n/no-dynamic-keys': 'off',
      // HTML that comes from data is somebody else's script.
      'vue/no-v-html': 'error',
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/define-macros-order': 'error',
      'vue/no-undef-components': ['error', { ignorePatterns: ['^U[A-Z]'] }],
      'vue/no-unused-refs': 'error',
      'vue/prefer-true-attribute-shorthand': 'error',
      // Formatting is left to whoever writes; these fight with readable templates.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always' } }],
      'vue/require-default-prop': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', 500],
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['src/**/*.test.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
)
