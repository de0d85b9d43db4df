// SPDX-License-Identifier: Apache-2.0
package io.muster.tls;

import io.muster.spi.WrittenText;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;

/** Reads certificates. */
public final class Certificates {

    /** The longest file that is read, in bytes. */
    static final int LONGEST_FILE = 1024 * 1024;

    private Certificates() {}

    /** Returns a certificate that is encoded in DER. */
    public static X509Certificate read(byte[] der) throws CertificateException {
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    /**
     * Returns the certificates of a file, in their order; perhaps none. The file may contain only certificates and
     * comments.
     *
     * @throws IOException if it cannot be read, or has more than a mebibyte
     * @throws CertificateException if it contains anything else
     */
    public static List<X509Certificate> read(Path file) throws IOException, CertificateException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (Certificate certificate :
                CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes(file)))) {
            certificates.add((X509Certificate) certificate);
        }
        return certificates;
    }

    /** Returns the content of a file after the byte order mark. */
    static byte[] bytes(Path file) throws IOException {
        byte[] bytes;
        try (InputStream in = WrittenText.withoutMark(Files.newInputStream(file))) {
            bytes = in.readNBytes(LONGEST_FILE + 1);
        }
        if (bytes.length > LONGEST_FILE) {
            throw new IOException("too long");
        }
        return bytes;
    }
}
