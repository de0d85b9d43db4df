package io.muster.persistence;

import io.muster.config.ConfigurationException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** The key under which private keys rest in the database: 256 bits from a file that every node has. AES-GCM. */
public final class MasterKey {

    private static final int BYTES = 32;
    private static final int NONCE = 12;
    private static final int TAG_BITS = 128;

    private final SecretKeySpec key;

    private MasterKey(byte[] key) {
        this.key = new SecretKeySpec(key, "AES");
    }

    /**
     * Reads the key, and makes it where the database holds nothing that was sealed under one.
     *
     * @throws ConfigurationException if it is missing or cannot be read
     */
    public static MasterKey open(Database database, Path file) {
        if (!Files.exists(file)) {
            if (isInUse(database)) {
                throw new ConfigurationException(List.of("muster.master-key-file: " + file
                        + " is missing, and the signing keys in the database are encrypted under it"));
            }
            create(file);
        }
        return read(file);
    }

    private static boolean isInUse(Database database) {
        return database.query(connection -> {
            try (PreparedStatement select = connection.prepareStatement("SELECT 1 FROM signing_key LIMIT 1");
                    ResultSet row = select.executeQuery()) {
                return row.next();
            }
        });
    }

    /** Reads the key from the file. */
    private static MasterKey read(Path file) {
        try {
            byte[] key = Base64.getDecoder().decode(Files.readString(file).strip());
            if (key.length == BYTES) {
                return new MasterKey(key);
            }
        } catch (IOException | IllegalArgumentException e) {
            // said below
        }
        throw new ConfigurationException(
                List.of("muster.master-key-file: cannot read a key of 32 bytes in base64 from " + file));
    }

    /** Makes the file with a new key, readable by its owner only, unless another process was first. */
    private static void create(Path file) {
        byte[] key = new byte[BYTES];
        new SecureRandom().nextBytes(key);
        try {
            // Where another process was first, its key counts.
            OwnerOnlyFile.create(file, Base64.getEncoder().encodeToString(key));
        } catch (IOException e) {
            throw new ConfigurationException(List.of("muster.master-key-file: cannot write " + file + " ("
                    + e.getClass().getSimpleName() + ")"));
        }
    }

    /** Returns a key of 32 bytes that is the same on every node, and tells nothing about this one or that of another purpose. */
    public byte[] derive(String purpose) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.getEncoded(), "HmacSHA256"));
            return mac.doFinal(purpose.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    /** Encrypts for this purpose only. */
    public byte[] seal(byte[] plain, String purpose) {
        byte[] nonce = new byte[NONCE];
        new SecureRandom().nextBytes(nonce);
        byte[] sealed = crypt(Cipher.ENCRYPT_MODE, nonce, plain, purpose);
        return ByteBuffer.allocate(NONCE + sealed.length).put(nonce).put(sealed).array();
    }

    /**
     * Decrypts.
     *
     * @throws ConfigurationException if it was sealed under another key or for another purpose, or was altered
     */
    public byte[] open(byte[] sealed, String purpose) {
        return crypt(
                Cipher.DECRYPT_MODE,
                Arrays.copyOf(sealed, NONCE),
                Arrays.copyOfRange(sealed, NONCE, sealed.length),
                purpose);
    }

    private byte[] crypt(int mode, byte[] nonce, byte[] text, String purpose) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(purpose.getBytes(StandardCharsets.UTF_8));
            return cipher.doFinal(text);
        } catch (AEADBadTagException e) {
            throw new ConfigurationException(
                    List.of("muster.master-key-file: this is not the master key under which the"
                            + " signing keys in the database are encrypted; use the same file on every node"));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }
}
