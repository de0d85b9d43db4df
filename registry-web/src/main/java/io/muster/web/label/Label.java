// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import io.nayuki.qrcodegen.DataTooLongException;
import java.net.URI;

/**
 * The contents of one label.
 *
 * @param serial of the device
 * @param code the claim code as people read it
 * @param url the address that claims the device; the code is in its fragment
 */
public record Label(String serial, String code, String url) {

    /**
     * Makes the label of a device.
     *
     * @param issuer the address of the registry
     * @param code the claim code as people read it
     */
    public static Label of(URI issuer, String serial, String code) {
        return new Label(serial, code, address(issuer) + "#" + code.replace("-", ""));
    }

    /** Returns the address of the claim page of a registry. */
    static String address(URI issuer) {
        String registry = issuer.toString();
        return (registry.endsWith("/") ? registry.substring(0, registry.length() - 1) : registry) + "/claim";
    }

    /** Returns the address as a QR code. */
    public QrPicture picture() {
        try {
            return QrPicture.of(url);
        } catch (DataTooLongException e) {
            throw new IllegalStateException("the address of the registry is too long for a QR code", e);
        }
    }

    /** Does not repeat the code. */
    @Override
    public String toString() {
        return "label of " + serial;
    }
}
