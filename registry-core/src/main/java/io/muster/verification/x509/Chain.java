// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.x509;

import io.muster.tls.Certificates;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;

/**
 * Reads the chain that a device presents, its own certificate first. Number and size are bounded. Proves nothing about
 * it.
 */
final class Chain {

    /** The longest certificate in bytes of DER. */
    static final int MAX_CERTIFICATE = 8 * 1024;

    private static final int MAX_BASE64 = (MAX_CERTIFICATE + 2) / 3 * 4;
    private static final int SEQUENCE = 0x30;
    private static final int LONG_FORM = 0x80;

    private Chain() {}

    /** Reads the member of the evidence: a list of DER in base64. */
    static List<X509Certificate> ofEvidence(Object member, int most) throws RefusalException {
        if (!(member instanceof List<?> list)) {
            throw new RefusalException("the evidence has no list \"chain\"");
        }
        checkNumber(list.size(), most);
        List<byte[]> encoded = new ArrayList<>();
        for (Object item : list) {
            if (!(item instanceof String text)) {
                throw new RefusalException("the chain is not a list of texts");
            }
            if (text.length() > MAX_BASE64) {
                throw tooLong();
            }
            try {
                encoded.add(Base64.getDecoder().decode(text));
            } catch (IllegalArgumentException e) {
                throw new RefusalException("a certificate is not base64");
            }
        }
        return read(encoded);
    }

    /** Reads the certificates of the connection again, after the server, so that the same rules apply to them. */
    static List<X509Certificate> ofConnection(List<X509Certificate> certificates, int most) throws RefusalException {
        checkNumber(certificates.size(), most);
        List<byte[]> encoded = new ArrayList<>();
        for (X509Certificate certificate : certificates) {
            try {
                encoded.add(certificate.getEncoded());
            } catch (CertificateEncodingException e) {
                throw new RefusalException("a certificate of the connection cannot be read");
            }
        }
        return read(encoded);
    }

    private static void checkNumber(int certificates, int most) throws RefusalException {
        if (certificates < 1 || certificates > most) {
            throw new RefusalException("the chain has " + certificates + " certificates; 1 to " + most + " can be");
        }
    }

    private static List<X509Certificate> read(List<byte[]> encoded) throws RefusalException {
        List<X509Certificate> chain = new ArrayList<>();
        for (byte[] der : encoded) {
            chain.add(certificate(der));
        }
        if (new HashSet<>(chain).size() < chain.size()) {
            throw new RefusalException("a certificate is in the chain twice");
        }
        return List.copyOf(chain);
    }

    private static X509Certificate certificate(byte[] der) throws RefusalException {
        if (der.length > MAX_CERTIFICATE) {
            throw tooLong();
        }
        // The factory would also accept PEM, PKCS #7, and bytes before and after.
        if (length(der) != der.length) {
            throw new RefusalException("a certificate is not DER");
        }
        X509Certificate certificate;
        byte[] read;
        try {
            certificate = Certificates.read(der);
            read = certificate.getEncoded();
        } catch (CertificateException | RuntimeException | StackOverflowError e) {
            // Whatever the JDK throws for hostile bytes, they are no certificate.
            throw new RefusalException("a certificate cannot be read");
        }
        if (!Arrays.equals(read, der)) {
            throw new RefusalException("a certificate is not DER");
        }
        return certificate;
    }

    private static RefusalException tooLong() {
        return new RefusalException("a certificate is over " + MAX_CERTIFICATE + " bytes");
    }

    /**
     * Returns the length that the outermost value declares, including its header; negative if it declares no definite
     * length.
     */
    private static long length(byte[] der) {
        if (der.length < 2 || der[0] != SEQUENCE) {
            return -1;
        }
        int first = der[1] & 0xff;
        if (first < LONG_FORM) {
            return 2L + first;
        }
        int octets = first - LONG_FORM;
        if (octets < 1 || octets > 3 || der.length < 2 + octets) {
            return -1;
        }
        long length = 0;
        for (int i = 0; i < octets; i++) {
            length = length << 8 | (der[2 + i] & 0xff);
        }
        return 2L + octets + length;
    }
}
