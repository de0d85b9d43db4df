// SPDX-License-Identifier: Apache-2.0
package io.muster.device;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.io.Serial;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;

/** A text to find a device by. The tag {@code serial} is not stored: it is the device's serial. */
@Entity
@Table(name = "device_tag")
@IdClass(DeviceTag.Key.class)
public class DeviceTag {

    /** The tag that every device has. */
    public static final String SERIAL = "serial";
    /** The tag that names the enrolment key with which a device registered. */
    public static final String ENROLMENT_KEY = "enrolmentKey";
    /** The tag that names the certificate with which a device registered. */
    public static final String CERTIFICATE = "certificate";
    /** The tag that a device gets from its lot. */
    public static final String LOT = "lot";
    /** The tags that the registry itself writes. */
    public static final Set<String> RESERVED = Set.of(SERIAL, ENROLMENT_KEY, CERTIFICATE, LOT);
    /** The tag that names the user whom a device belongs to, {@code <provider>:<subject>}. */
    public static final String OWNER = "owner";
    /** The tag that names the group whom a device belongs to. */
    public static final String GROUP = "group";
    /** The tags of owners. Before there were owners, these names were as free as any other. */
    public static final Set<String> OF_OWNERS = Set.of(OWNER, GROUP);
    /** All tags that nobody but the registry may write from now on. */
    public static final Set<String> OWN = Set.of(SERIAL, ENROLMENT_KEY, CERTIFICATE, LOT, OWNER, GROUP);
    /** The longest name of a tag. */
    public static final int MAX_NAME = 64;
    /** The longest text of a tag. */
    public static final int MAX_TEXT = 256;

    @Id
    @Column(name = "device_id")
    private byte[] deviceId;

    @Id
    private String name;

    private String text;

    /** For EclipseLink. */
    protected DeviceTag() {}

    /** Tags a device. */
    public DeviceTag(byte[] deviceId, String name, String text) {
        this.deviceId = deviceId.clone();
        this.name = name;
        this.text = text;
    }

    /** Returns its name. */
    public String name() {
        return name;
    }

    /** Returns its text. */
    public String text() {
        return text;
    }

    /** The primary key of a tag. */
    public static final class Key implements Serializable {

        @Serial
        private static final long serialVersionUID = 1;

        private byte[] deviceId;
        private String name;

        /** For EclipseLink. */
        public Key() {}

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(deviceId, key.deviceId) && Objects.equals(name, key.name);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(deviceId) + Objects.hashCode(name);
        }
    }
}
