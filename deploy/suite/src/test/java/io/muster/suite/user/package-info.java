// SPDX-License-Identifier: Apache-2.0
/** Requests of users, who sign in elsewhere and claim devices. */
package io.muster.suite.user;
