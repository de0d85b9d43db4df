// SPDX-License-Identifier: Apache-2.0
// The one place that knows where preact is.
export { html, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/htm/standalone.module.js';
