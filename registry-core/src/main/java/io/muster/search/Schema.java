// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import java.util.Optional;

/** The attributes that a filter of one list can name. */
public interface Schema {

    /** Finds an attribute by the name that a filter has. */
    Optional<Field> find(String name);

    /** Returns how a text is stored with which an attribute is compared as a whole. */
    default String stored(Field field, String text) {
        return text;
    }

    /** Returns all names, for people. */
    String names();
}
