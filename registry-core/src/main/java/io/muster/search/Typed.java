// SPDX-License-Identifier: Apache-2.0
package io.muster.search;

import io.muster.device.DeviceTag;
import io.muster.device.Storable;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The text that a person typed: the beginning of a serial, name, id or tag.
 *
 * @param serials the beginnings of serials that it may stand for
 */
public record Typed(String text, List<String> serials) {

    /** The rule in words, for error messages. */
    public static final String WORDS =
            "the beginning of a serial, name, id or tag, of at most " + DeviceTag.MAX_TEXT + " characters";

    /** Reads what was typed; empty if nothing can begin with it. */
    public static Optional<Typed> of(String text, SerialForm form) {
        return Storable.textFault(text, DeviceTag.MAX_TEXT).isPresent()
                ? Optional.empty()
                : Optional.of(new Typed(
                        text,
                        Stream.concat(Stream.of(text), form.of(text).map(SerialNumber::value).stream())
                                .distinct()
                                .toList()));
    }
}
