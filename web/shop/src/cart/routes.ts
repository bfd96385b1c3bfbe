import type { RouteRecordRaw } from 'vue-router'

export const cartRoutes: RouteRecordRaw[] = []
