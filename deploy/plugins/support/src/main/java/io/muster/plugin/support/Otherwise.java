// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.support;

/** The setting {@code otherwise}: the meaning of any value except the one that means genuine. */
public enum Otherwise {
    UNKNOWN,
    REFUSED
}
