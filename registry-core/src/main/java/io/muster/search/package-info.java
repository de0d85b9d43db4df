// SPDX-License-Identifier: Apache-2.0
/**
 * Search: filters in the grammar of SCIM, and what a person types. A filter becomes a checked {@link
 * io.muster.search.Expression}. Ranges of indexes find the rows, and a page examines a bounded number of them.
 */
package io.muster.search;
