// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin.redis;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/**
 * A TCP connection on which no read outlasts the {@link Deadline}, however slowly bytes arrive. TLS runs on top of it,
 * so the limit applies to a handshake too.
 */
final class DeadlineSocket extends Socket {

    @Override
    public InputStream getInputStream() throws IOException {
        return new FilterInputStream(super.getInputStream()) {

            @Override
            public int read() throws IOException {
                setSoTimeout(Deadline.millisLeft());
                return super.read();
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                setSoTimeout(Deadline.millisLeft());
                return super.read(bytes, offset, length);
            }
        };
    }
}
