package io.muster.plugin.redis;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/**
 * A TCP connection on which no read outlasts the {@link Deadline}, however steadily bytes trickle in. TLS is laid over it, so
 * the limit holds for a handshake too.
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
