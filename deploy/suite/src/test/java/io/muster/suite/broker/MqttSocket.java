// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.broker;

import io.muster.suite.fixture.RegistryUnderTest.Registered;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A device's MQTT connection (3.1.1) that costs no thread, so that there can be ten thousand of them. */
final class MqttSocket implements AutoCloseable {

    private static final byte[] PING = {(byte) 0xc0, 0};
    private static final int PATIENCE_MILLIS = 60_000;

    private final Socket socket;

    private MqttSocket(Socket socket) {
        this.socket = socket;
    }

    /** Connects with key and secret; an answer that is not yes is an error. */
    static MqttSocket connect(int port, Registered device) {
        try {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout(PATIENCE_MILLIS);
            ByteArrayOutputStream body = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(body);
            out.writeUTF("MQTT");
            out.write(4);
            // User name, password, clean session; keep alive of ten minutes.
            out.write(0xc2);
            out.writeShort(600);
            out.writeUTF(device.deviceId());
            out.writeUTF(device.key());
            byte[] secret = device.secret().getBytes(StandardCharsets.UTF_8);
            out.writeShort(secret.length);
            out.write(secret);
            ByteArrayOutputStream packet = new ByteArrayOutputStream();
            packet.write(0x10);
            int length = body.size();
            do {
                packet.write(length < 128 ? length : length % 128 | 128);
                length /= 128;
            } while (length > 0);
            body.writeTo(packet);
            socket.getOutputStream().write(packet.toByteArray());
            byte[] answer = new byte[4];
            new DataInputStream(socket.getInputStream()).readFully(answer);
            if (answer[0] != 0x20 || answer[3] != 0) {
                socket.close();
                throw new IllegalStateException("refused with " + answer[3]);
            }
            return new MqttSocket(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether the broker still answers. */
    boolean isAlive() {
        try {
            socket.getOutputStream().write(PING);
            return socket.getInputStream().read() == 0xd0
                    && socket.getInputStream().read() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
