// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import java.util.Map;
import java.util.Optional;

/**
 * A row of the built-in list of serials that may register.
 *
 * @param serial a valid serial
 * @param name the device's name for people, if it is to have one
 * @param lot the lot it was made in
 * @param tags texts to find the device by
 * @param attributes String, Number or Boolean
 */
public record ExpectedSerial(
        String serial,
        Optional<String> name,
        Optional<String> lot,
        Map<String, String> tags,
        Map<String, Object> attributes) {}
