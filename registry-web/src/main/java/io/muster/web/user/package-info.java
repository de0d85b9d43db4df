// SPDX-License-Identifier: Apache-2.0
/** The API of users: they claim devices, and look after those that are theirs. Start with {@link io.muster.web.user.ClaimsResource}. */
package io.muster.web.user;
