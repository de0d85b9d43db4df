// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.config.Settings;
import io.muster.spi.SerialNumber;
import io.muster.verification.SerialForm;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The required form of certificates, and the serial that the device's own is for. Does not check whether they are
 * genuine.
 */
final class DeviceProfile {

    private static final String KEY_USAGE = "2.5.29.15";
    private static final String ALTERNATIVE_NAMES = "2.5.29.17";
    private static final String NAME_CONSTRAINTS = "2.5.29.30";
    private static final String EXTENDED_KEY_USAGE = "2.5.29.37";

    private static final int DIGITAL_SIGNATURE = 0;
    private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    private static final String ANY = "2.5.29.37.0";
    private static final Pattern OID = Pattern.compile("[0-2](\\.(0|[1-9]\\d{0,9})){1,20}");

    private enum OtherNames {
        /** Common name and alternative names must not contradict each other. */
        AGREE,
        /** Only the field with the serial counts. */
        IGNORE
    }

    private enum KeyUsage {
        /** A certificate without key usage may sign. */
        IF_PRESENT,
        /** It must say that it may sign. */
        REQUIRED
    }

    private final SerialFrom serialFrom;
    private final String prefix;
    private final OtherNames otherNames;
    private final KeyUsage keyUsage;
    private final String extendedKeyUsage;

    DeviceProfile(Settings settings) {
        this.serialFrom = settings.choice("serial-from", SerialFrom.class, SerialFrom.SUBJECT_CN);
        this.prefix = settings.text("serial-prefix").orElse("");
        this.otherNames = settings.choice("other-names", OtherNames.class, OtherNames.AGREE);
        this.keyUsage = settings.choice("key-usage", KeyUsage.class, KeyUsage.IF_PRESENT);
        this.extendedKeyUsage = settings.text("extended-key-usage").orElse("");
        if (!extendedKeyUsage.isEmpty() && !OID.matcher(extendedKeyUsage).matches()) {
            settings.fault("extended-key-usage", "\"" + extendedKeyUsage + "\" is not an OID such as " + CLIENT_AUTH);
        }
    }

    /** Checks the rules for every certificate of a chain. */
    void checkForm(X509Certificate certificate) throws RefusalException {
        if (certificate.getVersion() != 3) {
            throw new RefusalException("a certificate is not of version 3");
        }
        if (!Keys.isStrong(certificate.getPublicKey())) {
            throw new RefusalException("a certificate has a key that is too weak or of an unknown kind");
        }
        if (!Keys.isStronglySigned(certificate)) {
            throw new RefusalException("a certificate is signed with a weak or unknown algorithm");
        }
        // The JDK ignores an extension that is not critical and cannot be read.
        try {
            List<String> usages = certificate.getExtendedKeyUsage();
            boolean readable = (certificate.getExtensionValue(KEY_USAGE) == null || certificate.getKeyUsage() != null)
                    && (certificate.getExtensionValue(EXTENDED_KEY_USAGE) == null
                            || (usages != null && !usages.isEmpty()))
                    && (certificate.getExtensionValue(ALTERNATIVE_NAMES) == null
                            || certificate.getSubjectAlternativeNames() != null)
                    && areReadable(certificate.getExtensionValue(NAME_CONSTRAINTS));
            if (!readable) {
                throw new RefusalException("a certificate has an extension that cannot be read");
            }
        } catch (CertificateParsingException e) {
            throw new RefusalException("a certificate has an extension that cannot be read");
        }
    }

    /**
     * Tells whether name constraints can be read. An extension value is an OCTET STRING around the selector's input.
     */
    private static boolean areReadable(byte[] nameConstraints) {
        if (nameConstraints == null) {
            return true;
        }
        try {
            new X509CertSelector().setNameConstraints(content(nameConstraints));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static byte[] content(byte[] octetString) throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(octetString);
        in.skipNBytes(1);
        int first = in.read();
        in.skipNBytes(first < 0x80 ? 0 : first & 0x7f);
        return in.readAllBytes();
    }

    /** Checks that a certificate is a device's, may prove its key, and is for this serial. */
    void checkDevice(X509Certificate certificate, SerialNumber serial, SerialForm serials) throws RefusalException {
        if (certificate.getBasicConstraints() >= 0) {
            throw new RefusalException("the device's certificate is that of an authority");
        }
        boolean[] usage = certificate.getKeyUsage();
        if (usage == null ? keyUsage == KeyUsage.REQUIRED : !usage[DIGITAL_SIGNATURE]) {
            throw new RefusalException("the device's certificate is not for digital signatures (key usage)");
        }
        if (!mayIdentifyAClient(certificate)) {
            throw new RefusalException("the device's certificate is for another purpose (extended key usage)");
        }
        checkSerial(certificate, serial, serials);
    }

    private boolean mayIdentifyAClient(X509Certificate certificate) throws RefusalException {
        List<String> usages;
        try {
            usages = certificate.getExtendedKeyUsage();
        } catch (CertificateParsingException e) {
            throw new RefusalException("a certificate has an extension that cannot be read");
        }
        if (!extendedKeyUsage.isEmpty()) {
            return usages != null && usages.contains(extendedKeyUsage);
        }
        return usages == null || usages.contains(CLIENT_AUTH) || usages.contains(ANY);
    }

    private void checkSerial(X509Certificate certificate, SerialNumber serial, SerialForm serials)
            throws RefusalException {
        List<String> values = serialFrom.values(certificate).stream()
                .filter(value -> value.startsWith(prefix))
                .toList();
        if (values.size() != 1) {
            throw new RefusalException("the field of the device's certificate that holds the serial has "
                    + (values.isEmpty() ? "no value" : "more than one value"));
        }
        String value = values.get(0);
        if (!serials.names(value.substring(prefix.length()), serial)) {
            throw new RefusalException("the device's certificate is for another serial");
        }
        if (otherNames == OtherNames.AGREE && contradicts(certificate, value, serial, serials)) {
            throw new RefusalException("common name and alternative names of the device's certificate differ");
        }
    }

    private boolean contradicts(X509Certificate certificate, String value, SerialNumber serial, SerialForm serials)
            throws RefusalException {
        List<SerialFrom> others =
                switch (serialFrom) {
                    case SUBJECT_CN -> List.of(SerialFrom.SAN_DNS, SerialFrom.SAN_URI);
                    case SAN_DNS, SAN_URI -> List.of(SerialFrom.SUBJECT_CN);
                    // By IEEE 802.1AR, the common name beside it is the product's.
                    case SUBJECT_SERIAL_NUMBER -> List.of();
                };
        for (SerialFrom other : others) {
            for (String name : other.values(certificate)) {
                if (!name.equals(value) && !serials.names(name, serial)) {
                    return true;
                }
            }
        }
        return false;
    }
}
