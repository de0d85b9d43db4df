// SPDX-License-Identifier: Apache-2.0
/** Faults under load, and a ledger of every answer that was given meanwhile. */
package io.muster.suite.ledger;
