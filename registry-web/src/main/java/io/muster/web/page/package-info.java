// SPDX-License-Identifier: Apache-2.0
/**
 * Pages for browsers: the console of operators, and for users the claim page with its sign-in and the form {@code /provision}. Start with
 * {@link io.muster.web.page.ClaimPageResource}.
 */
package io.muster.web.page;
